"""Joint heads under autocast, EMA, other checkpoints and bad input."""
import pytest
import torch
from mmengine.model import ExponentialMovingAverage
from mmpretrain.structures import DataSample

from gssl_mm.models.heads import JointWidthError, ViewCountError
from gssl_mm.registry import MODELS

N, K, T, D = 6, 4, 2, (5, 7)
V = T + 1
LDAM = dict(type='gssl_mm.LDAMLoss', class_counts=[9, 5, 3, 1])


def build(**kwargs):
    cfg = dict(type='gssl_mm.JointLabelHead', num_classes=K, in_channels=D,
               num_masks=T)
    return MODELS.build(dict(cfg, **kwargs))


def feats(views=V, channels=D):
    return tuple(torch.randn(N, views, c) for c in channels)


def samples():
    return [DataSample().set_gt_label(i % K) for i in range(N)]


def test_losses_are_float32_under_autocast():
    head = build(head='cosine', inference='distilled')
    maps, data = feats(), samples()
    plain = head.loss(maps, data)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        cast = head.loss(maps, data)
        for mode in head.modes:
            head.inference = mode
            assert head(maps).dtype == torch.float32
    for key in plain:
        assert cast[key].dtype == torch.float32
        assert torch.equal(cast[key], plain[key]), key


def test_a_steps_ema_keeps_the_views():
    head = build()
    ema = ExponentialMovingAverage(head, momentum=0.5, update_buffers=True)
    for _ in range(3):
        ema.update_parameters(head)
    assert int(ema.module.saved_views) == V


def test_checkpoints_of_other_masks_are_refused():
    head = build()
    build().load_state_dict(head.state_dict())
    other = build(num_masks=4)
    with pytest.raises(JointWidthError, match='trained with 3 views.* has 5'):
        other.load_state_dict(head.state_dict())
    # 12 outputs either way
    twin = build(num_classes=12, num_masks=0, in_channels=D)
    with pytest.raises(JointWidthError, match='3 views'):
        twin.load_state_dict(head.state_dict())
    foreign = {k: v for k, v in head.state_dict().items() if 'saved' not in k}
    foreign['fc.weight'] = torch.zeros(11, D[1])
    with pytest.raises(JointWidthError, match='4 classes x 3 views are 12'):
        head.load_state_dict(foreign)


@pytest.mark.parametrize('kwargs, error, message', [
    (dict(num_classes=0), ValueError, 'num_classes'),
    (dict(num_rotations=0), ValueError, 'num_rotations'),
    (dict(num_masks=-1), ValueError, 'num_masks'),
    (dict(beta=-1), ValueError, 'beta'),
    (dict(inference='mean'), ValueError, 'inference'),
    (dict(inference='distilled', student=False), ValueError, 'inference'),
    (dict(ag_mode='sum'), ValueError, 'ag_mode'),
    (dict(kl_dir='both'), ValueError, 'kl_dir'),
    (dict(head='mlp'), ValueError, 'head'),
    (dict(loss=dict(LDAM, label_repeat=5)), JointWidthError, 'label_repeat=5'),
])
def test_bad_arguments_are_named(kwargs, error, message):
    with pytest.raises(error, match=message):
        build(**kwargs)


@pytest.mark.parametrize('maps', [
    feats(views=5), feats(channels=(5, )), feats(channels=(7, 7)),
    tuple(f[:, 0] for f in feats())])
def test_other_features_are_refused(maps):
    head = build()
    for call in (head, head.predict, lambda f: head.loss(f, samples())):
        with pytest.raises(ViewCountError, match='FeatureMaskNeck'):
            call(maps)
