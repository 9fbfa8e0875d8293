"""Adversarial training for five steps; as one process or under torchrun."""
import copy

import torch
from mmpretrain.registry import MODELS
from two_processes import main

TASKS = [dict(type='gssl_mm.LocalRotation'), dict(type='gssl_mm.LocalFlip')]
PRIMARY = dict(type='LinearClsHead', num_classes=4, in_channels=8)
ROTATION = [dict(type='gssl_mm.GlobalRotation')]


def head(tasks, **gate):
    return dict(type='gssl_mm.GatedMultiTaskHead', primary=PRIMARY,
                tasks=tasks, in_channels=8, gate=gate or None)


KINDS = {
    'plain': ('AdversarialClassifier', PRIMARY),
    **{reduce: ('AdversarialClassifier', head(
        TASKS, type='gssl_mm.SoftmaxGate', reduce=reduce))
       for reduce in ('prob_mean', 'logit_mean', 'per_sample')},
    'rotations': ('RotationAuxiliaryClassifier', head(ROTATION)),
    'trades': ('TRADESClassifier', PRIMARY),
}


class SmoothNet(torch.nn.Sequential):
    """Without batch statistics, which are local to a process, and kinks."""

    def __init__(self):
        super().__init__(
            torch.nn.Conv2d(3, 8, 3, stride=2), torch.nn.Tanh(),
            torch.nn.Conv2d(8, 8, 3, stride=2), torch.nn.Tanh())

    def forward(self, images):
        return (super().forward(images), )


def build(kind):
    name, config = KINDS[kind]
    pretext = dict(pretext=dict(tasks=TASKS)) if kind in (
        'prob_mean', 'logit_mean', 'per_sample') else {}
    # In L2, since a rounding error next to 0 may turn a sign
    model = MODELS.build(dict(
        type=f'gssl_mm.{name}', backbone=SmoothNet(),
        neck=dict(type='GlobalAveragePooling'), head=copy.deepcopy(config),
        attack=dict(type='gssl_mm.PGD', norm='l2', eps=1., step_size=0.4,
                    num_steps=3), attack_ssl=2.,
        data_preprocessor=dict(
            type='gssl_mm.PretextDataPreprocessor', mean=[0.] * 3,
            std=[255.] * 3, **pretext)))
    # Next to the image the divergence is 0 and its direction rounding
    model.start_std = 0.3
    return model


if __name__ == '__main__':
    main(build, KINDS, steps=5, batch=12, lr=0.5)
