import pytest
import torch

from gssl_mm.models.gates import SoftmaxGate, UniformGate
from gssl_mm.registry import MODELS

N, D, T = 6, 5, 3


def naive_softmax(logits):
    e = torch.exp(logits)
    return e / e.sum(-1, keepdim=True)


def naive_loss(gate, feats, losses):
    """Spec A.5, a sample and a task at a time; eq. 3 with g differentiable."""
    logits = feats @ gate.fc.weight.T + gate.fc.bias
    if gate.reduce == 'per_sample':
        total = 0
        for b in range(N):
            g = naive_softmax(logits[b])
            total = total + sum(g[n] * losses[b, n] for n in range(T)) / N
        return total
    if gate.reduce == 'prob_mean':
        g = sum(naive_softmax(logits[b]) for b in range(N)) / N
    else:
        g = naive_softmax(sum(logits[b] for b in range(N)) / N)
    return sum(g[n] * losses[:, n].sum() / N for n in range(T))


@pytest.mark.parametrize('reduce', ['prob_mean', 'logit_mean', 'per_sample'])
@pytest.mark.parametrize('grad', ['learned', 'detached'])
def test_value_and_gradient_equal_the_equation(reduce, grad):
    gate = SoftmaxGate(D, T, grad=grad, reduce=reduce)
    feats = torch.randn(N, D, requires_grad=True)
    losses = torch.rand(N, T, requires_grad=True)
    feats2, losses2 = (t.detach().clone().requires_grad_()
                       for t in (feats, losses))
    terms, weights = gate(feats, losses)
    terms.sum().backward()
    got = gate.fc.weight.grad
    gate.fc.weight.grad = None

    gate.fc.requires_grad_(True)
    expected = naive_loss(gate, feats2, losses2)
    assert torch.allclose(terms.sum(), expected, atol=1e-6)
    expected.backward()
    assert torch.allclose(losses.grad, losses2.grad, atol=1e-6)
    assert abs(float(weights.sum()) - 1) < 1e-6
    assert not weights.requires_grad
    if grad == 'learned':
        assert torch.allclose(got, gate.fc.weight.grad, atol=1e-6)
        assert torch.allclose(feats.grad, feats2.grad, atol=1e-6)
        assert got.abs().max() > 1e-4
    else:
        assert got is None and feats.grad is None


def test_detached_gate_is_frozen_and_learned_gate_is_not():
    detached = SoftmaxGate(D, T, grad='detached')
    assert not any(p.requires_grad for p in detached.parameters())
    assert all(p.requires_grad for p in SoftmaxGate(D, T).parameters())


def test_gradient_descent_raises_the_gate_of_the_smallest_loss():
    gate = SoftmaxGate(D, T, reduce='logit_mean')
    feats = torch.rand(N, D)
    losses = torch.tensor([2.77, 0.69, 1.79]).expand(N, T)
    before = gate(feats, losses)[1]
    optimizer = torch.optim.SGD(gate.parameters(), lr=0.5)
    for _ in range(20):
        optimizer.zero_grad()
        gate(feats, losses)[0].sum().backward()
        optimizer.step()
    after = gate(feats, losses)[1]
    assert after[1] > before[1] and after[0] < before[0]


def test_kaiming_init_is_wider_than_the_default():
    wide = SoftmaxGate(4096, 8, init='kaiming').fc.weight
    assert abs(float(wide.detach().std()) - (2 / 4096)**0.5) < 1e-3
    narrow = SoftmaxGate(4096, 8).fc.weight
    assert float(narrow.detach().abs().max()) <= 4096**-0.5


@pytest.mark.parametrize('total, each', [(None, 1.), (1, 1 / 3), (0.6, 0.2)])
def test_uniform_gate_sums_or_averages(total, each):
    gate = UniformGate(D, T, total=total)
    losses = torch.rand(N, T, requires_grad=True)
    terms, weights = gate(torch.rand(N, D), losses)
    assert torch.allclose(terms.sum(), each * losses.mean(0).sum())
    terms.sum().backward()
    assert torch.allclose(losses.grad, torch.full((N, T), each / N))
    assert torch.allclose(weights, torch.full((T, ), each))
    assert not list(gate.parameters())


@pytest.mark.parametrize('kwargs, message', [
    (dict(grad='frozen'), 'grad must be'),
    (dict(reduce='mean'), 'reduce must be'),
    (dict(init='zeros'), 'init must be'),
])
def test_unknown_switches_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        SoftmaxGate(D, T, **kwargs)
    with pytest.raises(ValueError, match='total must be positive'):
        UniformGate(D, T, total=0)


def test_gates_build_from_configs_and_restore():
    cfg = dict(type='gssl_mm.SoftmaxGate', in_channels=D, num_tasks=T)
    first, second = MODELS.build(cfg), MODELS.build(cfg)
    second.load_state_dict(first.state_dict())
    feats, losses = torch.rand(N, D), torch.rand(N, T)
    assert torch.equal(first(feats, losses)[0], second(feats, losses)[0])
