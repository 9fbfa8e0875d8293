"""Small adversarial classifiers and batches."""
import copy

import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

TASKS = [dict(type='gssl_mm.LocalRotation'), dict(type='gssl_mm.LocalFlip'),
         dict(type='gssl_mm.LocalChannelPermutation')]
LINEAR = dict(type='LinearClsHead', num_classes=4, in_channels=6)


class Smooth(nn.Sequential):
    """Without kinks, where rounding would move a gradient."""

    def __init__(self):
        super().__init__(nn.Conv2d(3, 6, 3, stride=2), nn.BatchNorm2d(6),
                         nn.Tanh())

    def forward(self, images):
        return (super().forward(images), )


@pytest.fixture
def build():
    """Build a classifier; changes replace arguments."""
    def make(head=None, kind='AdversarialClassifier', tasks=(), **changes):
        torch.manual_seed(0)
        preprocessor = dict(
            type='gssl_mm.PretextDataPreprocessor', mean=[0.] * 3,
            std=[255.] * 3)
        if tasks:
            preprocessor['pretext'] = dict(tasks=tasks)
        cfg = dict(
            type=f'gssl_mm.{kind}', backbone=Smooth(),
            neck=dict(type='GlobalAveragePooling'), head=head or LINEAR,
            attack=dict(type='gssl_mm.PGD', num_steps=3),
            data_preprocessor=preprocessor)
        cfg.update(changes)
        return MODELS.build(copy.deepcopy(cfg)).train()

    return make


@pytest.fixture
def gated():
    """Config of a gated head on the three tasks."""
    def make(tasks=TASKS, **changes):
        return dict(dict(
            type='gssl_mm.GatedMultiTaskHead', primary=LINEAR, in_channels=6,
            tasks=tasks, gate=dict(type='gssl_mm.SoftmaxGate')), **changes)

    return make


@pytest.fixture
def batch():
    """Eight 8-bit images with labels."""
    def make(n=8, size=8):
        draws = torch.Generator().manual_seed(5)
        return dict(
            inputs=torch.randint(256, (n, 3, size, size), generator=draws,
                                 dtype=torch.uint8),
            data_samples=[DataSample().set_gt_label(k % 4) for k in range(n)])

    return make
