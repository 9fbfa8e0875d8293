"""PGD against loops written from its formulas, and what it promises."""
import copy
import math

import pytest
import torch
from torch import nn

from gssl_mm.models.attacks import (
    PGD,
    LogitsShapeError,
    NonFiniteGradientError,
    PerturbationUnitsError,
    PixelSpaceError,
    attack_mode,
)
from gssl_mm.models.attacks.functional import uniform_noise
from gssl_mm.models.attacks.gradient_check import GradientCheck
from gssl_mm.registry import TASK_UTILS

EPS = 8 / 255


def float_of(value):
    return float(value.detach())


def naive_loss(z, y, t, kind):
    """One sample's loss, from the logits as a list."""
    z = list(z)
    if kind == 'ce':
        goal = y if t is None else t
        loss = torch.stack(z).logsumexp(0) - z[goal]
        return loss if t is None else -loss
    if kind == 'margin':
        goal = y if t is None else t
        best = max((v for k, v in enumerate(z) if k != goal), key=float_of)
        return best - z[goal] if t is None else z[goal] - best
    top = sorted(z, key=float_of, reverse=True)
    if t is None:
        best = max((v for k, v in enumerate(z) if k != y), key=float_of)
        return (best - z[y]) / (top[0] - top[2])
    return (z[t] - z[y]) / (top[0] - (top[2] + top[3]) / 2)


def naive_pgd(net, images, labels, start, eps, step, num_steps, norm='linf',
              center='clean', kind='ce', targets=None):
    """A pixel loop a sample, as the formulas say it."""
    result = []
    for n, clean in enumerate(images):
        x = clean + start[n]
        middle = clean if center == 'clean' else x
        for _ in range(num_steps):
            x = x.clone().requires_grad_()
            t = None if targets is None else int(targets[n])
            loss = naive_loss(net(x[None])[0], int(labels[n]), t, kind)
            loss.backward()
            grad, x = x.grad.flatten().tolist(), x.detach().flatten().tolist()
            c = middle.flatten().tolist()
            if norm == 'linf':
                sign = [(g > 0) - (g < 0) for g in grad]
                x = [a + step * s for a, s in zip(x, sign, strict=True)]
                x = [min(max(a, m - eps), m + eps)
                     for a, m in zip(x, c, strict=True)]
            else:
                size = math.sqrt(sum(g * g for g in grad))
                x = [a + step * g / size for a, g in zip(x, grad, strict=True)]
                away = math.sqrt(sum((a - m)**2
                                     for a, m in zip(x, c, strict=True)))
                keep = min(1, eps / away)
                x = [m + keep * (a - m) for a, m in zip(x, c, strict=True)]
            x = torch.tensor([min(max(a, 0.), 1.) for a in x],
                             dtype=images.dtype).view_as(clean)
        result.append(x)
    return torch.stack(result)


@pytest.mark.parametrize('kind', ['ce', 'dlr', 'margin'])
@pytest.mark.parametrize('targeted', [False, True])
@pytest.mark.parametrize('norm, eps, step', [
    ('linf', EPS, 2 / 255), ('l2', 0.15, 0.05)])
@pytest.mark.parametrize('center', ['clean', 'noised'])
def test_equals_the_formula(net, images, labels, kind, targeted, norm, eps,
                            step, center):
    attack = PGD(eps, step, 5, norm=norm, center=center, loss=kind,
                 targeted=targeted)
    # The untargeted ratio of the third largest logit is constant
    labels = net(images).argmax(1)
    start = attack.draw_batch(6, (3, 8, 8)).double()
    targets = (labels + 2) % 5 if targeted else None
    found = attack(net, images, labels, noise=start, targets=targets)
    naive = naive_pgd(net, images, labels, start, eps, step, 5, norm, center,
                      kind, targets)
    assert float((found - naive).abs().max()) < 1e-10
    assert (found - images).abs().max() > EPS / 4


def test_start_is_not_clipped_and_steps_are(net, labels):
    images = torch.zeros(6, 3, 8, 8, dtype=torch.float64)
    seen = []

    def model(x):
        seen.append(x.detach().clone())
        return net(x)

    noise = -EPS * torch.ones_like(images)
    PGD(EPS, num_steps=2)(model, images, labels, noise=noise)
    assert torch.equal(seen[0], noise)
    assert seen[1].min() >= 0


@pytest.mark.parametrize('norm, eps, step', [
    ('linf', EPS, 3 / 255), ('l2', 0.7, 0.3)])
def test_stays_in_the_ball_and_in_range(net, images, labels, norm, eps, step):
    net, images = net.float(), images.float()
    images[0], images[1] = 0, 1
    before = images.clone()
    found = PGD(eps, step, 7, norm=norm, restarts=2)(net, images, labels)
    moved = (found - images).flatten(1)
    size = moved.abs().amax(1) if norm == 'linf' else moved.norm(dim=1)
    assert size.max() <= eps + 1e-6
    assert size.max() > eps / 2
    assert found.min() >= 0 and found.max() <= 1
    assert torch.equal(images, before)
    assert not found.requires_grad


def test_noised_centre_reaches_twice_as_far(images, labels):
    class Away(nn.Module):
        def forward(self, x):
            total = x.flatten(1).sum(1, keepdim=True)
            return torch.cat([-total, total, 0 * total], 1)

    middle = images / 2 + 0.25
    noise = torch.full_like(middle, EPS)
    labels = torch.zeros_like(labels)
    for center, reach in (('clean', EPS), ('noised', 2 * EPS)):
        found = PGD(EPS, 2 / 225, 20, center=center)(
            Away(), middle, labels, noise=noise)
        assert torch.allclose(found - middle, torch.full_like(middle, reach))


def test_zero_eps_changes_nothing(net, images, labels):
    found = PGD(eps=0)(net, images, labels)
    assert torch.equal(found, images)


def test_without_random_start_it_begins_at_the_image(net, images, labels):
    attack = PGD(num_steps=0, random_start=False)
    assert attack.draw_noise((3, 8, 8)) is None
    assert torch.equal(attack(net, images, labels), images)


def test_starts_are_uniform_in_the_ball(generator):
    noise = uniform_noise((4000, 1, 1, 2), 0.5, 'linf', generator)
    assert noise.abs().max() <= 0.5
    assert abs(float(noise.var()) - 1 / 12) < 0.005
    disc = uniform_noise((4000, 1, 1, 2), 0.5, 'l2', generator).flatten(1)
    radius = disc.norm(dim=1)
    assert radius.max() <= 0.5 + 1e-6
    # In two dimensions a quarter of the disc is within half its radius
    assert abs(float((radius < 0.25).float().mean()) - 0.25) < 0.03


def test_generator_decides_the_start(net, images, labels):
    one, two, other = (PGD()(net, images, labels, generator=(
        torch.Generator().manual_seed(s))) for s in (3, 3, 4))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


@pytest.mark.parametrize('kind', ['ce', 'margin'])
def test_restarts_keep_the_worst_and_skip_the_broken(net, images, labels, kind):
    attack = PGD(0.03, 0.02, 2, restarts=4, loss=kind)
    labels = net(images).argmax(1)
    noise = torch.stack([attack.draw_batch(6, (3, 8, 8)) for _ in range(4)])
    single = PGD(0.03, 0.02, 2, loss=kind)
    runs = [single(net, images, labels, noise=part) for part in noise]
    sizes = []

    def model(x):
        sizes.append(len(x))
        return net(x)

    found = attack(model, images, labels, noise=noise)
    for n in range(6):
        want, high = images[n], -math.inf
        for run in runs:
            logits = net(run[n:n + 1])
            loss = float_of(
                naive_loss(logits[0], int(labels[n]), None, kind))
            if logits.argmax(1) != labels[n]:
                want = run[n]
                break
            if loss > high:
                want, high = run[n], loss
        assert torch.equal(found[n], want), n
    broken = net(found).argmax(1) != labels
    assert 0 < broken.sum() < 6, 'the test needs both kinds'
    assert sizes[0] == 6 and sizes[-1] < 6


def test_the_default_target_is_the_runner_up(net, images, labels):
    order = net(images).argsort(1, descending=True)
    targets = torch.where(order[:, 0] == labels, order[:, 1], order[:, 0])
    attack = PGD(targeted=True)
    noise = attack.draw_batch(6, (3, 8, 8))
    assert torch.equal(
        attack(net, images, labels, noise=noise),
        attack(net, images, labels, noise=noise, targets=targets))


class Spy(nn.Module):
    """Records modes and flags, and fails when it is told to."""

    def __init__(self, net, fail=False):
        super().__init__()
        self.net, self.fail, self.seen = net, fail, set()

    def forward(self, x):
        self.seen.add((self.training, any(
            p.requires_grad for p in self.parameters())))
        if self.fail:
            raise RuntimeError('no')
        return self.net(x)


@pytest.mark.parametrize('fail', [False, True])
def test_modes_and_flags_come_back(net, images, labels, fail):
    spy = Spy(net, fail).train()
    net[1].eval()
    net[4].bias.requires_grad_(False)
    modes = [m.training for m in spy.modules()]
    flags = [p.requires_grad for p in spy.parameters()]
    assert True in modes and False in modes
    if fail:
        with pytest.raises(RuntimeError, match='no'):
            PGD()(spy, images, labels)
    else:
        PGD()(spy, images, labels)
    assert [m.training for m in spy.modules()] == modes
    assert [p.requires_grad for p in spy.parameters()] == flags
    assert spy.seen == {(False, False)}
    assert all(p.grad is None for p in spy.parameters())


def test_attack_mode_restores_parts_of_their_own_mode():
    model = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout())
    model[0].eval()
    with attack_mode(model, True):
        assert model[0].training
    assert not model[0].training and model[1].training


def test_no_weight_gradient_is_computed(images, labels):
    class Square(torch.autograd.Function):
        needs = []

        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return x * w

        @staticmethod
        def backward(ctx, grad):
            Square.needs.append(ctx.needs_input_grad)
            x, w = ctx.saved_tensors
            return grad * w, (grad * x).sum() if ctx.needs_input_grad[1] \
                else None

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.ones((), dtype=torch.float64))

        def forward(self, x):
            return Square.apply(x, self.w).flatten(1)[:, :5]

    PGD(num_steps=3)(Net(), images, labels)
    assert Square.needs == [(True, False)] * 3


@pytest.mark.parametrize('value', [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_stops(net, images, labels, value):
    model = nn.Sequential(net, nn.Identity())
    handle = model[1].register_full_backward_hook(
        lambda module, grads, out: (grads[0] * value, ))
    with pytest.raises(NonFiniteGradientError, match='NaN or infinite'):
        PGD()(model, images, labels)
    handle.remove()
    assert PGD()(model, images, labels).isfinite().all()


def test_the_check_can_be_copied():
    check = GradientCheck()
    copy.deepcopy(check)(torch.tensor(True), wait=False)
    with pytest.raises(NonFiniteGradientError):
        check(torch.tensor(False), wait=False)


@pytest.mark.parametrize('key', ['eps', 'step_size'])
def test_units_of_0_to_255_are_refused(key):
    with pytest.raises(PerturbationUnitsError, match=f'{key}=8 / 255'):
        PGD(**{key: 8})
    PGD(norm='l2', **{key: 8})


@pytest.mark.parametrize('change, message', [
    (dict(norm='l1'), 'norm must be one of'),
    (dict(center='middle'), 'center must be one of'),
    (dict(loss='hinge'), 'loss must be one of'),
    (dict(eps=-1), 'eps must be finite'),
    (dict(step_size=math.nan), 'step_size must be finite'),
    (dict(num_steps=-1), 'num_steps must be'),
    (dict(restarts=0), 'restarts at least 1'),
    (dict(restarts=2, random_start=False), 'Set random_start=True'),
])
def test_bad_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        PGD(**change)


@pytest.mark.parametrize('change, given, message', [
    ({}, dict(targets=torch.ones(6, dtype=torch.int64)), 'Set targeted=True'),
    ({}, dict(noise=torch.zeros(2, 6, 3, 8, 8)), r'noise must be \(1, 6'),
    ({}, dict(noise=torch.zeros(1, 3, 8, 8)), r'\(6, 3, 8, 8\) for all'),
    (dict(restarts=2), dict(noise=torch.zeros(3, 6, 3, 8, 8)),
     r'noise must be \(2, 6'),
])
def test_starts_and_targets_that_do_not_fit_are_named(net, images, labels,
                                                      change, given, message):
    with pytest.raises(ValueError, match=message):
        PGD(**change)(net, images, labels, **given)


@pytest.mark.parametrize('head', [
    lambda z: (z, ), lambda z: {'task': z}, lambda z: z[:, 0],
    lambda z: z[:3], lambda z: z[:, :, None]])
def test_a_head_must_return_logits(net, images, labels, head):
    with pytest.raises(LogitsShapeError, match='num_classes'):
        PGD()(lambda x: head(net(x)), images, labels)


@pytest.mark.parametrize('loss, targeted, classes', [
    ('dlr', False, 2), ('dlr', True, 3)])
def test_dlr_needs_enough_classes(net, images, loss, targeted, classes):
    with pytest.raises(LogitsShapeError, match='DLR'):
        PGD(loss=loss, targeted=targeted)(
            lambda x: net(x)[:, :classes], images,
            torch.zeros(6, dtype=torch.int64))


@pytest.mark.parametrize('bad', [
    lambda x: x * 255, lambda x: x - 0.5, lambda x: (x * 255).byte(),
    lambda x: x * math.nan])
def test_images_must_be_pixels(net, images, labels, bad):
    with pytest.raises(PixelSpaceError, match='255'):
        PGD()(net, bad(images), labels)


def test_soft_labels_need_the_cross_entropy(net, images):
    shares = torch.rand(6, 5, dtype=torch.float64)
    logits = net(images)
    assert torch.allclose(PGD().losses(logits, shares),
                          -(shares * logits.log_softmax(1)).sum(1))
    with pytest.raises(ValueError, match='Mixup'):
        PGD(loss='margin').losses(logits, shares)


def test_built_from_a_config():
    attack = TASK_UTILS.build(dict(type='gssl_mm.PGD', num_steps=3))
    assert (attack.num_steps, attack.center, attack.norm) == (3, 'clean',
                                                              'linf')
