import copy

import pytest
import torch
import torch.nn.functional as F

from gssl_mm.models.necks import MapSizeError, StageIndexError
from gssl_mm.registry import MODELS

RESNET = dict(type='gssl_mm.CIFARResNet', depth=8, base_channels=4)
WIDE = dict(type='gssl_mm.WideResNet', depth=10)
PYRAMID = dict(type='gssl_mm.PyramidNet', depth=8, alpha=9)
HOST = dict(type='ResNet', depth=18, base_channels=8, stem_channels=8)


def build(name, **kwargs):
    return MODELS.build(dict(type=f'gssl_mm.{name}', **kwargs))


def naive_mask(feat, j):
    """Zero one quadrant of a copy; 0 leaves it as it is."""
    out = feat.clone()
    a, b = feat.size(2) // 2, feat.size(3) // 2
    rows = slice(0, a) if j in (1, 2) else slice(a, None)
    cols = slice(0, b) if j in (1, 3) else slice(b, None)
    if j:
        out[:, :, rows, cols] = 0
    return out


def stem(net, images):
    return F.relu(net.norm1(net.conv1(images)))


@pytest.mark.parametrize('after', [1, 2, 3])
def test_masked_maps_go_on_through_the_later_stages(after):
    net = build('StageMaskBackbone', backbone=RESNET, after_stage=after)
    net.double()
    images = torch.randn(3, 3, 16, 16, dtype=torch.float64)
    maps = net.train()(images)[0]
    maps.square().sum().backward()
    grads = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()

    inner = net.backbone
    feat = stem(inner, images)
    stages = [inner.layer1, inner.layer2, inner.layer3]
    # Called by the class, so that no hook runs
    for stage in stages[:after]:
        feat = type(stage).forward(stage, feat)
    feat = torch.stack([naive_mask(feat, j) for j in range(5)], 1).flatten(0, 1)
    for stage in stages[after:]:
        feat = type(stage).forward(stage, feat)
    feat.square().sum().backward()
    torch.testing.assert_close(maps, feat)
    for got, param in zip(grads, net.parameters(), strict=True):
        torch.testing.assert_close(got, param.grad)


@pytest.mark.parametrize('cfg, after', [
    (WIDE, 2), (PYRAMID, 1), (HOST, 3), (HOST, 'layer4')])
def test_any_staged_backbone_and_its_view_0(cfg, after):
    net = build('StageMaskBackbone', backbone=cfg, after_stage=after).eval()
    images = torch.randn(2, 3, 64, 64)
    maps = net(images)[-1]
    assert len(maps) == 10
    plain = MODELS.build(cfg)
    plain.eval()  # returns None in the host
    plain.load_state_dict(net.backbone.state_dict())
    torch.testing.assert_close(maps[::5], plain(images)[-1])
    assert not torch.allclose(maps[1::5], maps[::5])


def test_a_copy_masks_with_its_own_hook():
    net = build('StageMaskBackbone', backbone=RESNET, after_stage=2,
                masks=[[[0, 1]]]).eval()
    other = copy.deepcopy(net)
    net.grids.fill_(1)
    images = torch.randn(1, 3, 16, 16)
    assert torch.equal(*net(images)[0])
    assert not torch.equal(*other(images)[0])
    assert set(net.state_dict()) == {
        f'backbone.{key}' for key in net.backbone.state_dict()}


def test_rotations_are_counter_clockwise_and_sample_major():
    net = build('RotatedBackbone', backbone=torch.nn.Identity())
    images = torch.randn(2, 3, 5, 5)
    out = net(images)
    for n in range(2):
        for k in range(4):
            expected = images[n]
            for _ in range(k):
                expected = expected.transpose(1, 2).flip(1)
            assert torch.equal(out[4 * n + k], expected)
    assert torch.tensor([[1, 2], [3, 4]]).rot90().tolist() == [[2, 4], [1, 3]]


def test_rotations_keep_the_memory_format():
    net = build('RotatedBackbone', backbone=torch.nn.Identity())
    images = torch.randn(2, 3, 6, 6)
    assert net(images).is_contiguous()
    last = images.contiguous(memory_format=torch.channels_last)
    assert net(last).is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(net(last), net(images))


@pytest.mark.parametrize('make, error, message', [
    (lambda: build('StageMaskBackbone', backbone=RESNET, after_stage=4),
     StageIndexError, 'layer4'),
    (lambda: build('StageMaskBackbone', backbone=RESNET, after_stage=0),
     StageIndexError, 'layer1'),
    (lambda: build('StageMaskBackbone', after_stage=2, backbone=dict(
        RESNET, out_indices=(0, 2)))(torch.zeros(2, 3, 16, 16)),
     StageIndexError, 'out_indices'),
    (lambda: build('StageMaskBackbone', after_stage=3, backbone=dict(
        WIDE, tap='bnrelu'))(torch.zeros(2, 3, 16, 16)),
     StageIndexError, 'tap='),
    (lambda: build('StageMaskBackbone', backbone=RESNET, after_stage=3)(
        torch.zeros(2, 3, 4, 4)), MapSizeError, '1x1'),
    (lambda: build('RotatedBackbone', backbone=RESNET)(
        torch.zeros(2, 3, 4, 8)), MapSizeError, '4x8'),
    (lambda: build('RotatedBackbone', backbone=dict(
        RESNET, out_indices=(3, ))), ValueError, 'out_indices'),
])
def test_bad_input_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
