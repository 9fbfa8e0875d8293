"""Guesses, mixtures and interleaved batches of MixMatch."""
import copy
import math

import pytest
import torch
from semi_toy import (
    CLASSES,
    LABELED,
    LINEAR,
    build,
    compare,
    draw,
    forget,
    logits,
    probabilities,
    set_step,
)

from gssl_mm.models.classifiers.mixmatch_parts import draw_mix, interleave
from gssl_mm.models.losses.consistency import sharpen
from gssl_mm.models.utils import step_generator


@pytest.mark.parametrize('loss', [
    dict(type='LabelSmoothLoss', label_smooth_val=.1),
    dict(type='CrossEntropyLoss', loss_weight=.5)])
def test_other_losses_of_the_head_are_refused(loss):
    with pytest.raises(ValueError, match='by their cross-entropy'):
        build('MixMatch', dict(LINEAR, loss=loss))


@pytest.mark.parametrize('step, ramp', [(0, 0.), (16384 * 64 // 10, .5)])
def test_mixmatch(step, ramp):
    set_step(step, 2**20, seed=4)
    model = build('MixMatch', ramp_images=2 * step * LABELED or 1)
    net = copy.deepcopy(model)
    batch, data_samples = draw('MixMatch')
    losses = model.loss(batch, data_samples)
    views = list(batch.views.values())
    # Guesses
    mean = sum(probabilities(forget(net, v)).detach() for v in views) / 2
    guess = mean**2 / (mean**2).sum(1, keepdim=True)
    target = torch.eye(CLASSES)[[i % CLASSES for i in range(LABELED)]]
    images = torch.cat([batch.labeled, *views])
    targets = torch.cat([target, guess, guess])
    # Mixing, row by row
    order, share = draw_mix(3 * LABELED, 0.5, step_generator('mixmatch'))
    rows = range(3 * LABELED)
    mixed = torch.stack([share[i] * images[i] + (1 - share[i])
                         * images[order[i]] for i in rows])
    wanted = torch.stack([share[i] * targets[i] + (1 - share[i])
                          * targets[order[i]] for i in rows])
    # 5 = 1 + 2 + 2 rows: the second part trades the middle, the third the end
    a, b, c = (list(range(5)), list(range(5, 10)), list(range(10, 15)))
    a[1:3], b[1:3] = b[1:3], a[1:3]
    a[3:5], c[3:5] = c[3:5], a[3:5]
    z = torch.zeros(15, CLASSES)
    first = logits(net, mixed[a])
    z = z.index_put((torch.tensor(a), ), first)
    for part in (b, c):
        z = z.index_put((torch.tensor(part), ), forget(net, mixed[part]))
    p = probabilities(z)
    labeled = -(wanted[:5] * p[:5].log()).sum() / LABELED
    mse = ((wanted[5:] - p[5:])**2).sum() / (2 * LABELED * CLASSES)
    assert not torch.equal(wanted[:5], target)
    compare(model, net, losses, labeled + 100 * ramp * mse, 1e-4)


def test_draws_of_mixmatch(generator):
    order, share = draw_mix(9000, 0.5, generator)
    assert sorted(order.tolist()) == list(range(9000))
    assert 0.5 <= share.min() and share.max() <= 1
    # An image each; E max(b, 1 - b) = 1/2 + 1/pi for Beta(1/2, 1/2)
    assert len(share.unique()) > 8000
    assert share.mean().item() == pytest.approx(0.5 + 1 / math.pi, abs=0.005)
    tight = draw_mix(9000, 50., generator)[1]
    assert tight.max() < 0.8


@pytest.mark.parametrize('length', [3, 4, 5, 64])
def test_interleaving_twice_restores(length):
    parts = [torch.arange(length) + 100 * i for i in range(3)]
    mixed = interleave(parts)
    assert [len(part) for part in mixed] == [length] * 3
    for i, part in enumerate(mixed[1:], 1):
        assert {int(v) // 100 for v in part} == {0, i}
    assert {int(v) // 100 for v in mixed[0]} == {0, 1, 2}
    for part, again in zip(parts, interleave(mixed), strict=True):
        assert torch.equal(part, again)


def test_sharpening():
    p = torch.tensor([[0.7, 0.2, 0.1], [1., 0., 0.]])
    assert torch.allclose(
        sharpen(p, 0.5)[0], p[0]**2 / (p[0]**2).sum())
    assert torch.allclose(sharpen(p, 1.), p, atol=1e-6)
    assert sharpen(p, 0.01).isfinite().all()
