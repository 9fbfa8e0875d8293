import copy

import pytest
import torch

from gssl_mm.models.heads import CosineClsHead
from gssl_mm.models.necks import (
    MapSizeError,
    MaskSetError,
    StageIndexError,
)
from gssl_mm.models.necks.feature_masks import (
    QUADRANTS,
    expand_masks,
    mask_grids,
    stack_masked,
)
from gssl_mm.registry import MODELS

SIZES = [(2, 2), (3, 2), (7, 7), (8, 8), (5, 9), (16, 16)]


def build(**kwargs):
    return MODELS.build(dict(type='gssl_mm.FeatureMaskNeck', **kwargs))


def naive_masks(h, w):
    """The four definitions, cell by cell."""
    a, b = h // 2, w // 2
    masks = torch.ones(5, h, w)
    for row in range(h):
        for col in range(w):
            j = 1 + 2 * (row >= a) + (col >= b)
            masks[j, row, col] = 0
    return masks


def naive_pool(feat, masks):
    """Copy, mask, average: a loop over samples and masks."""
    h, w = feat.shape[2:]
    return torch.stack([
        torch.stack([(sample * mask).sum((1, 2)) / (h * w) for mask in masks])
        for sample in feat])


def value_and_grad(function, feat):
    feat = feat.clone().requires_grad_()
    out = function(feat)
    weight = torch.randn(
        out.shape, generator=torch.Generator().manual_seed(5))
    (out * weight).sum().backward()
    return out.detach(), feat.grad


def general(feat):
    """The path of maps that go on, then averaged."""
    stacked = stack_masked(feat, mask_grids('quadrants'))
    return stacked.mean((2, 3)).view(len(feat), 5, -1)


@pytest.mark.parametrize('memory_format', [
    torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('size', SIZES)
def test_every_path_equals_the_definition(size, memory_format):
    feat = torch.randn(3, 4, *size).contiguous(memory_format=memory_format)
    masks = naive_masks(*size)
    value, grad = value_and_grad(lambda f: naive_pool(f, masks), feat)
    paths = dict(
        shortcut=lambda f: build()((f, ))[0],
        explicit=lambda f: build(masks=QUADRANTS)((f, ))[0],
        stacked=general)
    for name, path in paths.items():
        got, got_grad = value_and_grad(path, feat)
        torch.testing.assert_close(got, value, rtol=0, atol=1e-6, msg=name)
        torch.testing.assert_close(
            got_grad, grad, rtol=0, atol=1e-6, msg=name)


@pytest.mark.parametrize('size', SIZES)
def test_masked_features_sum_to_three_times_the_feature(size):
    pooled, = build()((torch.randn(3, 4, *size), ))
    torch.testing.assert_close(pooled[:, 1:].sum(1), 3 * pooled[:, 0])


def test_dropped_areas_of_an_odd_map():
    masks = expand_masks(mask_grids('quadrants'), 7, 7)
    assert (1 - masks).sum((1, 2)).tolist() == [0, 9, 12, 12, 16]


def test_a_mask_set_of_any_grid():
    grids = torch.rand(3, 3, 2)
    feat = torch.randn(2, 4, 7, 6)
    masks = torch.ones(4, 7, 6)
    for v in range(3):
        for row in range(7):
            for col in range(6):
                i = max(i for i in range(3) if i * 7 // 3 <= row)
                masks[v + 1, row, col] = grids[v, i, col // 3]
    pooled, = build(masks=grids.tolist())((feat, ))
    torch.testing.assert_close(pooled, naive_pool(feat, masks))


def test_every_stage_is_pooled_and_stages_can_be_picked():
    maps = tuple(torch.randn(2, c, s, s) for c, s in ((4, 8), (6, 4), (8, 3)))
    pooled = build()(maps)
    assert [tuple(p.shape) for p in pooled] == [(2, 5, 4), (2, 5, 6), (2, 5, 8)]
    picked = build(stages=[2, 0])(maps)
    assert torch.equal(picked[0], pooled[2])
    assert torch.equal(picked[1], pooled[0])
    assert torch.equal(*(build(stages=s)(maps)[0] for s in (1, [1])))
    for feat, p in zip(maps, pooled, strict=True):
        torch.testing.assert_close(p[:, 0], feat.mean((2, 3)))


@pytest.mark.parametrize('j', range(5))
def test_one_fixed_mask_feeds_a_plain_head(j):
    feat = torch.randn(2, 4, 7, 7)
    pooled, = build(fixed_mask=j)((feat, ))
    assert torch.equal(pooled, build()((feat, ))[0][:, j])
    head = MODELS.build(dict(
        type='LinearClsHead', num_classes=3, in_channels=4))
    assert head((pooled, )).shape == (2, 3)


def test_stacked_views_come_before_masks():
    feat = torch.randn(8, 4, 6, 6)
    pooled, = build(stacked=4)((feat, ))
    assert pooled.shape == (2, 20, 4)
    each, = build()((feat, ))
    for n in range(2):
        for k in range(4):
            for j in range(5):
                assert torch.equal(pooled[n, 5 * k + j], each[4 * n + k, j])
    assert build(masks=None, stacked=4)((feat, ))[0].shape == (2, 4, 4)
    assert build(stacked=4).num_views == 20


def test_a_plain_head_reads_the_unmasked_feature():
    feat = torch.randn(2, 4, 6, 6)
    head = CosineClsHead(num_classes=3, in_channels=4)
    torch.testing.assert_close(
        head(build()((feat, ))), head((feat.mean((2, 3)), )))


def test_bfloat16_maps_are_summed_in_float32():
    feat = torch.randn(2, 4, 16, 16).bfloat16()
    expected = naive_pool(feat.float(), naive_masks(16, 16))
    for masks in ('quadrants', QUADRANTS):
        with torch.autocast('cpu', dtype=torch.bfloat16):
            pooled, = build(masks=masks)((feat, ))
        assert pooled.dtype == torch.float32
        torch.testing.assert_close(pooled, expected, rtol=0, atol=1e-6)


def test_saves_no_copies_of_the_map():
    feat = torch.randn(4, 8, 16, 16, requires_grad=True)
    for masks in ('quadrants', QUADRANTS):
        saved = []
        neck = build(masks=masks)
        with torch.autograd.graph.saved_tensors_hooks(
                lambda t, saved=saved: saved.append(t.numel()) or t,
                lambda t: t):
            neck((feat, ))
        assert sum(saved) < feat.numel() / 2, masks


def test_keeps_no_state_and_can_be_copied():
    neck = build()
    assert not neck.state_dict()
    feat = torch.randn(2, 4, 6, 6)
    assert torch.equal(copy.deepcopy(neck)((feat, ))[0], neck((feat, ))[0])


MAP = torch.zeros(2, 4, 6, 6)


@pytest.mark.parametrize('kwargs, feats, error, message', [
    (dict(stages=[1]), (MAP, ), StageIndexError, '1 maps: 0 to 0 exist'),
    (dict(stages=[-1]), (MAP, ), StageIndexError, 'out_indices'),
    (dict(fixed_mask=5), (MAP, ), StageIndexError, '0 to 4'),
    ({}, (MAP[:, :, :1], ), MapSizeError, '1x6 is smaller than the 2x2'),
    ({}, (MAP[..., :1], ), MapSizeError, '6x1'),
    (dict(masks=[[[1, 0, 1]] * 3]), (MAP[:, :, :2], ), MapSizeError, '3x3'),
    ({}, (MAP[..., 0, 0], ), MapSizeError, 'remove the neck'),
    ({}, (MAP, MAP[:1]), MapSizeError, 'equally many rows'),
    (dict(stacked=4), (MAP, ), MapSizeError, 'stacked=4'),
    (dict(stacked=0), (MAP, ), ValueError, 'stacked'),
    (dict(stacked=4, fixed_mask=1), (MAP, ), ValueError, 'fixed_mask=1'),
    (dict(masks='halves'), (MAP, ), MaskSetError, "'halves'"),
    (dict(masks=[[1, 0]]), (MAP, ), MaskSetError, 'shape'),
    (dict(masks=[[[1, 0]], [[1], [0]]]), (MAP, ), MaskSetError, 'equal'),
    (dict(masks=[[[float('nan')]]]), (MAP, ), MaskSetError, 'finite'),
])
def test_bad_input_is_named(kwargs, feats, error, message):
    with pytest.raises(error, match=message):
        build(**kwargs)(feats)
