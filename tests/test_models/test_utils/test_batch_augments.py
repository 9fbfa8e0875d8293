"""Mixes of a batch against their formulas, one pixel at a time."""
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.logging import MessageHub
from mmpretrain.models import RandomBatchAugment
from mmpretrain.registry import BATCH_AUGMENTS, MODELS
from mmpretrain.structures import DataSample

from gssl_mm.models.utils import GridMix, SmoothMix

ORDERS = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
TASKS = [dict(type='gssl_mm.LocalRotation'), dict(type='gssl_mm.LocalFlip'),
         dict(type='gssl_mm.LocalChannelPermutation')]
MIXES = [dict(type='Mixup', alpha=1.), dict(type='CutMix', alpha=1.),
         dict(type='gssl_mm.SmoothMix'),
         dict(type='gssl_mm.SmoothMix', openmixup_compat=True),
         dict(type='gssl_mm.GridMix')]


class FixedRng:
    """Draws that a test chose, in order."""

    def __init__(self, *values):
        self.values = list(values)

    def _next(self, *args):
        return self.values.pop(0)

    beta = uniform = integers = random = _next


def naive_smoothmix(images, scores, partner, u, v, unit, swapped):
    """From the formula, for square images."""
    n, channels, side, _ = images.shape
    sigma = side * (.25 + .25 * unit)
    rows = []
    for i in range(side):
        for j in range(side):
            rows.append(math.exp(-((i - (side - 1) / 2 - u)**2 +
                                   (j - (side - 1) / 2 - v)**2) /
                                 (2 * sigma**2)))
    lam = sum(rows) / len(rows)
    window = torch.tensor(rows, dtype=images.dtype).view(side, side)
    mixed, labels = [], []
    for a, b in enumerate(partner):
        first, second = images[a], images[b]
        if swapped:
            mixed.append((1 - window) * first + window * second)
        else:
            mixed.append(window * first + (1 - window) * second)
        labels.append(lam * scores[a] + (1 - lam) * scores[b])
    return torch.stack(mixed), torch.stack(labels)


def naive_gridmix(images, scores, partner, ratio, area, aspect, holes, top,
                  left):
    n, channels, height, width = images.shape
    w = math.floor(math.sqrt(math.floor(height * width * area) / aspect))
    h = math.floor(w * aspect)
    w, h = min(w, width), min(h, height)
    cell = math.ceil(w / holes)
    side = min(max(math.floor(cell * math.sqrt(1 - ratio)), 1), cell - 1)
    replaced = 0
    taken = torch.zeros(height, width, dtype=torch.bool)
    for row in range(math.ceil(h / cell)):
        for col in range(holes):
            for i in range(side):
                for j in range(side):
                    y, x = row * cell + i, col * cell + j
                    if y < h and x < w:
                        taken[top + y, left + x] = True
                        replaced += 1
    lam = 1 - replaced / (height * width)
    mixed = torch.stack([torch.where(taken, images[b], images[a])
                         for a, b in enumerate(partner)])
    labels = torch.stack([lam * scores[a] + (1 - lam) * scores[b]
                          for a, b in enumerate(partner)])
    return mixed, labels


def compare(augment, draws, naive):
    """Value and gradient of a mix by fixed draws, in float64."""
    images = torch.rand(5, 3, 16, 16, dtype=torch.float64, requires_grad=True)
    other = images.detach().clone().requires_grad_()
    scores = F.one_hot(torch.tensor([0, 1, 2, 3, 1]), 4).double()
    partner = torch.tensor([3, 1, 0, 4, 2])
    keep, lam = augment.draw_map(16, 16, FixedRng(*draws))
    got = augment.mix(images, scores, torch.from_numpy(keep), lam, partner)
    wanted = naive(other, scores, partner.tolist())
    for found, expected in zip(got, wanted, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    weight = torch.rand(images.shape, dtype=torch.float64)
    (got[0] * weight).sum().backward()
    (wanted[0] * weight).sum().backward()
    torch.testing.assert_close(images.grad, other.grad, rtol=1e-12, atol=0)


@pytest.mark.parametrize('swapped', [False, True])
@pytest.mark.parametrize('u, v, unit', [(0, 0, 0.), (-8, 7, .3), (3, -5, 1.)])
def test_smoothmix_by_its_formula(u, v, unit, swapped):
    compare(SmoothMix(openmixup_compat=swapped), (u, v, unit),
            lambda *args: naive_smoothmix(*args, u, v, unit, swapped))


@pytest.mark.parametrize('ratio, area, aspect, holes, top, left', [
    (.5, .6, 1., 3, 2, 1), (.01, 1., .5, 2, 0, 0), (.99, .5, 2., 6, 0, 5),
    (.3, 1., 1.7, 4, 0, 3), (0., 1., 1., 2, 0, 0)])
def test_gridmix_by_its_formula(ratio, area, aspect, holes, top, left):
    compare(GridMix(), (ratio, area, aspect, holes, top, left),
            lambda *args: naive_gridmix(
                *args, ratio, area, aspect, holes, top, left))


def test_swapped_labels_are_only_swapped():
    """D14: the published form is the corrected one with the roles changed."""
    draws = (0, 0, 0.)
    keep, lam = SmoothMix().draw_map(16, 16, FixedRng(*draws))
    swapped, same = SmoothMix(True).draw_map(16, 16, FixedRng(*draws))
    np.testing.assert_allclose(swapped, 1 - keep, atol=1e-15)
    assert same == lam == pytest.approx(keep.mean())
    assert swapped.mean() != pytest.approx(lam, abs=.05)


def test_smoothmix_ranges():
    class Spy:
        """Records the bounds that are asked for."""
        bounds = []

        def integers(self, low, high):
            self.bounds.append((low, high - 1))
            return low

        def random(self):
            return .5

    SmoothMix().draw_map(64, 64, Spy())
    assert Spy.bounds == [(-32, 31), (-32, 31)]
    rng = np.random.default_rng(0)
    maps = [SmoothMix().draw_map(32, 32, rng) for _ in range(300)]
    keep = np.stack([m for m, _ in maps])
    assert keep.min() >= 0 and keep.max() <= 1
    # From a corner at the narrowest to the middle at the widest
    assert .09 < min(lam for _, lam in maps) < .2
    assert .6 < max(lam for _, lam in maps) < .75


def test_gridmix_ranges():
    class Spy:
        """Records what is asked for; answers with the largest."""
        asked = []

        def beta(self, *args):
            self.asked.append(args)
            return .5

        def uniform(self, *args):
            self.asked.append(args)
            return args[-1]

        def integers(self, *args):
            self.asked.append(args)
            return args[-1] - 1

    keep, _ = GridMix().draw_map(64, 64, Spy())
    # lambda, area, aspect, holes, top and left of a box of 64x45
    assert Spy.asked == [(.2, .2), (.5, 1.), (.5, 2.), (2, 7), (1, ), (20, )]
    # Six cells of 8, the last one cut; squares of floor(8 sqrt(1 / 2))
    assert (keep[0, 19:] == ([0] * 5 + [1] * 3) * 5 + [0] * 5).all()


@pytest.mark.parametrize('size', [(64, 64), (8, 8), (3, 5), (40, 20), (1, 1)])
def test_gridmix_stays_within_the_image(size):
    rng = np.random.default_rng(0)
    replaced = []
    for _ in range(300):
        keep, lam = GridMix().draw_map(*size, rng)
        assert keep.shape == size and set(np.unique(keep)) <= {0., 1.}
        assert lam == pytest.approx(keep.mean())
        replaced.append(1 - lam)
    assert min(replaced) > 0
    if size[0] >= 8:
        assert min(replaced) < .1 and max(replaced) > .5


@pytest.mark.parametrize('kwargs', [
    dict(alpha=0.), dict(area=(.5, 1.5)), dict(area=(0., 1.)),
    dict(aspect=(2., .5)), dict(holes=(0, 3))])
def test_bad_ranges_are_refused(kwargs):
    with pytest.raises(ValueError, match=next(iter(kwargs))):
        GridMix(**kwargs)


def at_iteration(number):
    MessageHub.get_current_instance().runtime_info.update(iter=number, seed=3)
    # Where the host's mixes draw from; a hook seeds it in a run
    np.random.seed(number)
    torch.manual_seed(number)


@pytest.mark.parametrize('cfg', MIXES[2:])
def test_a_call_draws_by_seed_and_iteration_alone(cfg):
    augment = BATCH_AUGMENTS.build(cfg)
    images = torch.rand(12, 3, 16, 16)
    before = images.clone()
    scores = F.one_hot(torch.arange(12) % 4, 4)

    def run(iteration, noise):
        at_iteration(iteration)
        torch.rand(noise)
        np.random.rand(noise)
        return augment(images, scores)

    first, again, later = run(1, 0), run(1, 5), run(2, 0)
    assert torch.equal(images, before)
    for a, b, c in zip(first, again, later, strict=True):
        assert torch.equal(a, b) and not torch.equal(a, c)
    assert first[1].dtype == torch.float32
    torch.testing.assert_close(first[1].sum(1), torch.ones(12))
    # Every image is a partner once
    torch.testing.assert_close(first[1].sum(0), scores.sum(0).float())


def test_labels_have_to_be_scores():
    with pytest.raises(ValueError, match='num_classes'):
        GridMix()(torch.rand(2, 3, 8, 8), torch.tensor([0, 1]))


def test_images_have_to_be_floating_point():
    images = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    with pytest.raises(TypeError, match='got torch.uint8'):
        SmoothMix()(images, torch.eye(2))


def test_the_hosts_wrapper_takes_them():
    at_iteration(0)
    augment = RandomBatchAugment(MIXES)
    images, scores = torch.rand(4, 3, 8, 8), torch.eye(4)
    for _ in range(8):
        mixed, labels = augment(images.clone(), scores)
        assert mixed.shape == images.shape and labels.shape == scores.shape


def preprocessor(cfg, pretext):
    return MODELS.build(dict(
        type='gssl_mm.PretextDataPreprocessor', mean=[10., 20., 30.],
        std=[2., 4., 5.], num_classes=5, pretext=pretext,
        batch_augments=dict(augments=cfg)))


def batch(size=8):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (10, 3, size, size), dtype=torch.uint8,
                           generator=generator)
    return dict(inputs=images, data_samples=[
        DataSample().set_gt_label(i % 5) for i in range(10)])


@pytest.mark.parametrize('cfg', MIXES)
def test_pretext_after_mixing_one_region_and_one_label_an_image(cfg):
    at_iteration(7)
    mixed = preprocessor(cfg, None)(batch(), True)
    at_iteration(7)
    both = preprocessor(cfg, dict(tasks=TASKS))(batch(), True)
    scores = [torch.stack([s.gt_score for s in out['data_samples']])
              for out in (mixed, both)]
    assert torch.equal(*scores)
    assert int((scores[0] > 0).sum()) > 10  # something was mixed
    labels = torch.stack([s.pretext_labels for s in both['data_samples']])
    assert labels.shape == (10, 3)
    for image, source, (joint, flip, order) in zip(
            both['inputs'], mixed['inputs'], labels.tolist(), strict=True):
        quadrant, turns = divmod(joint, 4)
        rows, cols = (slice(4 * h, 4 * h + 4) for h in divmod(quadrant, 2))
        patch = source[:, rows, cols].clone()
        patch = patch.flip(2) if flip else patch
        patch = torch.rot90(patch, turns, (1, 2))[list(ORDERS[order])]
        expected = source.clone()
        expected[:, rows, cols] = patch
        assert torch.equal(image, expected)


@pytest.mark.parametrize('cfg', MIXES)
def test_feature_masks_share_the_mask_between_both_labels(cfg):
    """Loss lambda L(5 y_a + j) + (1 - lambda) L(5 y_b + j), and its gradient.
    """
    at_iteration(5)
    out = preprocessor(cfg, None)(batch(), True)
    scores = torch.stack([s.gt_score for s in out['data_samples']])
    neck = MODELS.build(dict(type='gssl_mm.FeatureMaskNeck'))
    head = MODELS.build(dict(
        type='gssl_mm.JointLabelHead', num_classes=5, in_channels=(3, 3),
        loss=dict(type='CrossEntropyLoss', use_soft=True)))
    maps = out['inputs'].clone().requires_grad_()
    losses = head.loss(neck((maps[:, :, ::2, ::2], maps)),
                       out['data_samples'])
    total = losses['loss_cls'] + losses['loss_earlier']

    other = out['inputs'].clone().requires_grad_()
    expected = 0.
    for maps_of, layer in ((other[:, :, ::2, ::2], head.earlier[0]),
                           (other, head.fc)):
        half = maps_of.size(-1) // 2
        for row in range(10):
            for j in range(5):
                masked = maps_of[row].clone()
                if j:
                    top, left = divmod(j - 1, 2)
                    masked[:, top * half:(top + 1) * half,
                           left * half:(left + 1) * half] = 0
                logits = layer(masked.mean((1, 2)))[None]
                for y, weight in enumerate(scores[row].tolist()):
                    if weight:
                        expected = expected + weight * F.cross_entropy(
                            logits, torch.tensor([5 * y + j])) / 50
    torch.testing.assert_close(total, expected)
    total.backward()
    expected.backward()
    torch.testing.assert_close(maps.grad, other.grad, rtol=1e-4, atol=1e-7)
