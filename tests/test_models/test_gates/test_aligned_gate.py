import copy

import pytest
import torch
from mmpretrain.structures import DataSample

from gssl_mm.models.gates import AlignedGate, MissingAgreementError
from gssl_mm.models.gates.agreement import Agreement, measure_agreement
from gssl_mm.models.heads import primary_gradients, task_gradients
from gssl_mm.models.losses import NoClosedFormError, effective_number_weights
from gssl_mm.registry import MODELS

N, D, T, K = 12, 7, 3, 4
TASKS = [dict(type='gssl_mm.LocalRotation'), dict(type='gssl_mm.LocalFlip'),
         dict(type='gssl_mm.LocalChannelPermutation')]
CLASSES = [16, 2, 6]
COUNTS = [500, 60, 20, 3]
LINEAR = dict(type='LinearClsHead', num_classes=K, in_channels=D)
PRIMARIES = {
    'linear': LINEAR,
    'cosine': dict(type='gssl_mm.CosineClsHead', num_classes=K, in_channels=D,
                   scale=3.),
    'ldam': dict(type='gssl_mm.CosineClsHead', num_classes=K, in_channels=D,
                 loss=dict(type='gssl_mm.LDAMLoss', class_counts=COUNTS)),
}
ALIGNED = dict(type='gssl_mm.AlignedGate')


def build(primary='ldam', task_head='cosine', gate=ALIGNED, drw=True, **kwargs):
    head = MODELS.build(dict(
        type='gssl_mm.GatedMultiTaskHead', in_channels=D, tasks=TASKS,
        primary=copy.deepcopy(
            PRIMARIES[primary] if isinstance(primary, str) else primary),
        gate=copy.deepcopy(gate), task_head=task_head, **kwargs))
    if drw and primary == 'ldam':
        head.primary.loss_module.set_class_weight(
            effective_number_weights(COUNTS, 0.999))
    return head


def batch(mixed=False):
    samples = [DataSample().set_gt_label(i % K) for i in range(N)]
    if mixed:
        shares = torch.eye(K)[torch.arange(N) % K]
        shares = 0.6 * shares + 0.4 * shares.flip(0)
        for sample, row in zip(samples, shares, strict=True):
            sample.set_gt_score(row)
    labels = torch.stack([torch.arange(N) % k for k in CLASSES], 1)
    for sample, row in zip(samples, labels, strict=True):
        sample.set_field(row, 'pretext_labels')
    return samples, labels


def autograd(head, feats, samples, labels):
    """Gradients of the mean losses of the batch, by back-propagation."""
    feats = feats.detach().requires_grad_()
    loss = head.primary.loss((feats, ), samples)['loss']
    found = [torch.autograd.grad(loss, feats)[0]]
    each = head.task_heads.losses(feats, labels)[0].mean(0)
    for term in each:
        found += torch.autograd.grad(term, feats, retain_graph=True)
    return found[0], torch.stack(found[1:], 1)


def cosine(a, b):
    return (a * b).sum() / (a.norm() * b.norm())


@pytest.mark.parametrize('mixed', [False, True])
@pytest.mark.parametrize('task_head', ['linear', 'cosine'])
@pytest.mark.parametrize('primary', PRIMARIES)
def test_closed_forms_equal_autograd(primary, task_head, mixed):
    head = build(primary, task_head)
    samples, labels = batch(mixed)
    feats = 2 * torch.randn(N, D)
    want, want_tasks = autograd(head, feats, samples, labels)
    target = torch.arange(N) % K
    if mixed:
        target = torch.stack([s.gt_score for s in samples])
    got = primary_gradients(head.primary, feats, target)
    # The same factor for all samples is left out
    factor = (want * got).sum() / (got * got).sum()
    assert factor > 0
    assert torch.allclose(factor * got, want, atol=1e-6)
    tasks = task_gradients(head.task_heads, feats, labels)
    assert torch.allclose(tasks / N, want_tasks, atol=1e-6)
    assert want.abs().max() > 1e-2 and want_tasks.abs().max() > 1e-3

    found = head._agreement(feats, samples, labels)
    for n in range(T):
        assert torch.allclose(
            found.batch[n], cosine(want, want_tasks[:, n]), atol=1e-5)
        for b in range(N):
            assert torch.allclose(
                found.samples[b, n], cosine(want[b], want_tasks[b, n]),
                atol=1e-4)


def test_class_weights_and_margins_matter():
    samples, labels = batch()
    feats = torch.randn(N, D)
    torch.manual_seed(0)
    plain = build(drw=False)
    torch.manual_seed(0)
    weighted = build(drw=True)
    found = [head._agreement(feats, samples, labels).batch
             for head in (plain, weighted)]
    plain.primary.loss_module.margins.zero_()
    found.append(plain._agreement(feats, samples, labels).batch)
    assert not torch.allclose(found[0], found[1], atol=1e-3)
    assert not torch.allclose(found[0], found[2], atol=1e-4)


def test_a_gradient_of_zero_has_no_direction():
    found = measure_agreement(torch.zeros(N, D), torch.randn(N, T, D))
    assert found.batch.eq(0).all() and found.samples.eq(0).all()
    tiny = torch.full((N, D), 1e-12)
    found = measure_agreement(tiny, tiny[:, None].expand(N, T, D))
    assert torch.allclose(found.batch, torch.ones(T))


def agreement():
    samples = torch.linspace(-1, 1, N * T).view(N, T).roll(1, 1)
    return Agreement(samples, torch.tensor([0.5, -0.2, 0.1]))


def naive(values, temperature, cut):
    e = torch.exp(values / temperature)
    g = e / e.sum(-1, keepdim=True)
    return torch.where(values < 0, torch.zeros(()), g) if cut else g


@pytest.mark.parametrize('cut', [False, True])
@pytest.mark.parametrize('reduce', ['batch_mean', 'per_sample'])
def test_weights_and_terms_equal_the_equation(reduce, cut):
    gate = AlignedGate(D, T, reduce=reduce, temperature=0.3, cut_negative=cut)
    feats = torch.randn(N, D, requires_grad=True)
    losses = torch.rand(N, T, requires_grad=True)
    found = agreement()
    terms, weights, penalty = gate(feats, losses, found)
    values = found.batch if reduce == 'batch_mean' else found.samples
    each = naive(values, 0.3, cut).expand(N, T)
    assert torch.allclose(terms, (each * losses).mean(0), atol=1e-6)
    assert torch.allclose(weights, each.mean(0), atol=1e-6)
    terms.sum().backward()
    assert torch.allclose(losses.grad, each / N, atol=1e-6)
    assert feats.grad is None and penalty is None
    assert (float(weights.sum()) < 0.999) is cut
    assert torch.allclose(gate.fixed_weights(feats, losses, found),
                          naive(values, 0.3, cut), atol=1e-6)


def test_all_against_the_classes_leaves_the_classes_alone():
    gate = AlignedGate(D, T, cut_negative=True)
    terms, weights, _ = gate(None, torch.rand(N, T), Agreement(
        None, -torch.rand(T) - 0.1))
    assert weights.eq(0).all() and terms.eq(0).all()


def test_moving_average_starts_as_a_mean_and_is_kept():
    gate = AlignedGate(D, T, momentum=0.25, temperature=1.)
    draws = torch.rand(8, T) - 0.5
    average = torch.zeros(T)
    for step, value in enumerate(draws, 1):
        weights = gate(None, torch.rand(N, T), Agreement(None, value)).weights
        average = average + max(0.25, 1 / step) * (value - average)
        assert torch.allclose(weights, average.softmax(0))
        if step == 3:
            assert torch.allclose(average, draws[:3].mean(0))
    # An attack, or a validation, looks and does not touch
    before = copy.deepcopy(gate.state_dict())
    gate.fixed_weights(None, None, Agreement(None, torch.ones(T)))
    gate.eval()(None, torch.rand(N, T), Agreement(None, torch.ones(T)))
    assert all(torch.equal(before[k], v) for k, v in gate.state_dict().items())
    other = AlignedGate(D, T, momentum=0.25, temperature=1.)
    other.load_state_dict(before)
    value = Agreement(None, torch.rand(T))
    losses = torch.rand(N, T)
    assert torch.equal(other(None, losses, value).weights,
                       gate.train()(None, losses, value).weights)


def test_the_head_logs_the_agreement_and_trains():
    head = build(loss_weight=0.5)
    samples, labels = batch()
    feats = torch.randn(N, D, requires_grad=True)
    losses = head.loss((feats, ), samples)
    found = head._agreement(feats, samples, labels)
    assert {'agree_lorot', 'agree_flip', 'agree_perm'} <= set(losses)
    assert torch.equal(losses['agree_flip'], found.batch[1])
    assert not losses['agree_flip'].requires_grad
    weights = (found.batch / 0.1).softmax(0)
    for n, name in enumerate(('lorot', 'flip', 'perm')):
        term = 0.5 * weights[n] * losses[f'ce_{name}']
        assert torch.allclose(losses[f'loss_{name}'], term)
        assert torch.allclose(losses[f'gate_{name}'], weights[n])
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    assert all(p.grad is not None for p in head.parameters())


def test_agreement_is_logged_with_any_gate_on_request():
    samples, _ = batch()
    feats = (torch.randn(N, D), )
    gate = dict(type='gssl_mm.SoftmaxGate', balance=2.)
    plain = build(gate=gate).loss(feats, samples)
    watched = build(gate=gate, log_agreement=True).loss(feats, samples)
    assert set(watched) - set(plain) == {
        'agree_lorot', 'agree_flip', 'agree_perm'}
    assert {'loss_gate'} == {k for k in plain if 'loss' in k} - {
        'loss_cls', 'loss_lorot', 'loss_flip', 'loss_perm'}


def test_no_extra_backward_pass():
    head, (samples, _) = build(), batch()
    feats = torch.randn(N, D, requires_grad=True)
    calls = []
    feats.register_hook(lambda grad: calls.append(1))
    losses = head.loss((feats, ), samples)
    assert not calls
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    assert calls == [1]


def test_autocast_leaves_the_gate_in_float32():
    head, (samples, _) = build(), batch()
    feats = torch.randn(N, D)
    plain = head.loss((feats, ), samples)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        cast = head.loss((feats, ), samples)
    for key, value in plain.items():
        assert cast[key].dtype == torch.float32
        assert torch.equal(value, cast[key]), key


def test_an_attack_ascends_the_weighted_losses():
    head, (samples, labels) = build(), batch()
    feats = torch.randn(N, D)
    found = head.pretext_objective(samples, feats.device)((feats, ))
    weights = (head._agreement(feats, samples, labels).batch / 0.1).softmax(0)
    losses = head.task_heads.losses(feats, labels)[0]
    assert torch.allclose(found, (losses * weights).sum(1))


def test_what_has_no_closed_form_is_refused_by_name():
    smooth = dict(LINEAR, loss=dict(type='LabelSmoothLoss',
                                    label_smooth_val=0.1))
    stacked = dict(type='StackedLinearClsHead', num_classes=K, in_channels=D,
                   mid_channels=[8], act_cfg=dict(type='ReLU'))
    for primary in (smooth, stacked):
        with pytest.raises(NoClosedFormError, match='closed form'):
            build(primary)
        with pytest.raises(NoClosedFormError, match='log_agreement'):
            build(primary, gate=None, log_agreement=True)
        build(primary, gate=None)
    head = build()
    _, labels = batch()
    with pytest.raises(MissingAgreementError, match='unlabelled'):
        head.pretext_loss(torch.randn(N, D), labels)


@pytest.mark.parametrize('kwargs, message', [
    (dict(reduce='mean'), 'reduce must be'),
    (dict(temperature=0), 'temperature must be'),
    (dict(temperature=float('nan')), 'temperature must be'),
    (dict(momentum=0), 'momentum'),
    (dict(momentum=1.5), 'momentum'),
    (dict(momentum=0.1, reduce='per_sample'), 'step before'),
])
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        AlignedGate(D, T, **kwargs)


@pytest.mark.parametrize('size', [1e-25, 1e-36, 1e12])
def test_gradients_of_any_size_are_compared(size):
    primary, tasks = torch.randn(N, D), torch.randn(N, T, D)
    found = measure_agreement(primary * size, tasks * size)
    expected = measure_agreement(primary, tasks)
    # Numbers next to the smallest of float32 have fewer digits
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-4)
        assert one.dtype == torch.float32 and one.abs().max() <= 1 + 1e-6


def test_a_gradient_of_zero_agrees_with_nothing():
    found = measure_agreement(torch.zeros(N, D), torch.randn(N, T, D))
    assert not found.samples.any() and not found.batch.any()
