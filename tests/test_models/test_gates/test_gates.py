import pytest
import torch

from gssl_mm.models.gates import (
    FixedGate,
    SoftmaxGate,
    UncertaintyGate,
    UniformGate,
)
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
    terms, weights, penalty = gate(feats, losses)
    assert penalty is None
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
    terms, weights, _ = gate(torch.rand(N, D), losses)
    assert torch.allclose(terms.sum(), each * losses.mean(0).sum())
    terms.sum().backward()
    assert torch.allclose(losses.grad, torch.full((N, T), each / N))
    assert torch.allclose(weights, torch.full((T, ), each))
    assert not list(gate.parameters())


def test_fixed_gate_weights_each_task_by_its_number():
    gate = FixedGate(D, T, weights=[0.5, 0, 2])
    losses = torch.rand(N, T, requires_grad=True)
    terms, weights, penalty = gate(torch.rand(N, D), losses)
    naive = [w * sum(losses[b, n].item() for b in range(N)) / N
             for n, w in enumerate([0.5, 0., 2.])]
    torch.testing.assert_close(terms, torch.tensor(naive))
    terms.sum().backward()
    torch.testing.assert_close(
        losses.grad, torch.tensor([0.5, 0., 2.]).expand(N, T) / N)
    assert weights.tolist() == [0.5, 0., 2.]
    assert penalty is None
    # Nothing to learn, nothing in a checkpoint
    assert not list(gate.parameters())
    assert not gate.state_dict()


@pytest.mark.parametrize('weights', [
    [1., 1.], [1.] * 4, [0., 0., 0.], [1., -1., 1.], [1., float('nan'), 1.],
    [1., float('inf'), 1.], [], 0.5, None, ['a', 'b', 'c'], [[1.]] * 3])
def test_wrong_fixed_weights_are_refused(weights):
    with pytest.raises(ValueError, match='weights must be'):
        FixedGate(D, T, weights=weights)


@pytest.mark.parametrize('kwargs, message', [
    (dict(grad='frozen'), 'grad must be'),
    (dict(reduce='mean'), 'reduce must be'),
    (dict(init='zeros'), 'init must be'),
    (dict(balance=-1.), 'balance must be'),
    (dict(balance=1., grad='detached'), 'balance must be'),
])
def test_unknown_switches_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        SoftmaxGate(D, T, **kwargs)
    with pytest.raises(ValueError, match='total must be positive'):
        UniformGate(D, T, total=0)


CLASSES = [16, 2, 6]


@pytest.mark.parametrize('reduce', ['prob_mean', 'logit_mean', 'per_sample'])
def test_losses_may_be_in_units_of_guessing(reduce):
    gate = SoftmaxGate(D, T, reduce=reduce, divide_by_chance=True)
    gate.set_task_classes(CLASSES)
    feats = torch.randn(N, D)
    losses = torch.rand(N, T, requires_grad=True)
    terms, weights, _ = gate(feats, losses)
    grads = torch.autograd.grad(
        terms.sum(), [losses, *gate.parameters()])
    units = losses / torch.tensor(CLASSES).log()
    expected = naive_loss(gate, feats, units)
    assert torch.allclose(terms.sum(), expected, atol=1e-6)
    naive = torch.autograd.grad(expected, [losses, *gate.parameters()])
    for got, want in zip(grads, naive, strict=True):
        assert torch.allclose(got, want, atol=1e-6)
    # Guessing is a loss of 1 for every task
    guess = torch.tensor(CLASSES).log().expand(N, T)
    assert torch.allclose(gate(feats, guess).terms, weights)
    fixed = gate.fixed_weights(feats, guess)
    total = (fixed * guess).sum(-1).mean()
    assert torch.allclose(total, torch.tensor(1.), atol=1e-6)


def test_units_of_guessing_need_the_classes():
    gate = SoftmaxGate(D, T, divide_by_chance=True)
    with pytest.raises(ValueError, match='set_task_classes'):
        gate(torch.rand(N, D), torch.rand(N, T))


@pytest.mark.parametrize('reduce', ['prob_mean', 'logit_mean', 'per_sample'])
def test_balance_is_the_squared_coefficient_of_variation(reduce):
    gate = SoftmaxGate(D, T, reduce=reduce, balance=0.7)
    feats, losses = torch.randn(N, D), torch.rand(N, T)
    penalty = gate(feats, losses).penalty
    logits = feats @ gate.fc.weight.T + gate.fc.bias
    if reduce == 'logit_mean':
        importance = N * naive_softmax(logits.mean(0))
    else:
        importance = sum(naive_softmax(row) for row in logits)
    mean = importance.mean()
    expected = 0.7 * ((importance - mean)**2).mean() / mean**2
    assert torch.allclose(penalty, expected, atol=1e-6)
    for got, want in zip(torch.autograd.grad(penalty, gate.parameters()),
                         torch.autograd.grad(expected, gate.parameters()),
                         strict=True):
        assert torch.allclose(got, want, atol=1e-6)
        assert want.abs().max() > 1e-4


def test_balance_holds_a_gate_that_would_collapse():
    torch.manual_seed(1)
    feats = torch.rand(N, D)
    losses = torch.tensor([2.77, 0.69, 1.79]).expand(N, T)
    shares = []
    for balance in (0., 5.):
        gate = SoftmaxGate(D, T, balance=balance)
        optimizer = torch.optim.SGD(gate.parameters(), lr=0.3)
        for _ in range(100):
            optimizer.zero_grad()
            terms, _, penalty = gate(feats, losses)
            (terms.sum() + (0 if penalty is None else penalty)).backward()
            optimizer.step()
        shares.append(float(gate(feats, losses).weights[1]))
    assert shares[0] > 0.9 and shares[1] < 0.5


def test_uncertainty_gate_equals_the_paper_and_rests_at_twice_the_loss():
    gate = UncertaintyGate(D, T)
    gate.log_variance.data = torch.tensor([0.3, -0.5, 1.2])
    feats = torch.rand(N, D)
    losses = torch.rand(N, T, requires_grad=True)
    terms, weights, penalty = gate(feats, losses)
    sigma = torch.exp(gate.log_variance / 2)
    expected = sum(losses[:, n].mean() / sigma[n]**2 + torch.log(sigma[n])
                   for n in range(T))
    assert torch.allclose(terms.sum() + penalty, expected)
    for leaf in (losses, gate.log_variance):
        got, = torch.autograd.grad(
            terms.sum() + penalty, leaf, retain_graph=True)
        want, = torch.autograd.grad(expected, leaf, retain_graph=True)
        assert torch.allclose(got, want)
    assert torch.allclose(weights, 1 / sigma**2) and not weights.requires_grad
    rest = gate(feats, losses.detach())
    gate.log_variance.data = (2 * losses.detach().mean(0)).log()
    grad, = torch.autograd.grad(
        sum(x.sum() for x in gate(feats, losses.detach())[::2]),
        gate.log_variance)
    assert grad.abs().max() < 1e-6 and rest.penalty != 0


def test_gates_build_from_configs_and_restore():
    cfg = dict(type='gssl_mm.SoftmaxGate', in_channels=D, num_tasks=T)
    first, second = MODELS.build(cfg), MODELS.build(cfg)
    second.load_state_dict(first.state_dict())
    feats, losses = torch.rand(N, D), torch.rand(N, T)
    assert torch.equal(first(feats, losses)[0], second(feats, losses)[0])
