"""Train every head mode for ten steps; as one process or under torchrun."""
import copy

import torch
from mmpretrain.registry import MODELS
from two_processes import main

TASKS = [dict(type='gssl_mm.LocalRotation'), dict(type='gssl_mm.LocalFlip'),
         dict(type='gssl_mm.LocalChannelPermutation')]
GATES = {
    'sum': None,
    'mean': dict(type='gssl_mm.UniformGate', total=1),
    **{f'{grad}-{reduce}': dict(
        type='gssl_mm.SoftmaxGate', grad=grad, reduce=reduce)
       for grad in ('learned', 'detached')
       for reduce in ('prob_mean', 'logit_mean', 'per_sample')},
    **{f'balanced-{reduce}': dict(
        type='gssl_mm.SoftmaxGate', reduce=reduce, balance=1.,
        divide_by_chance=True)
       for reduce in ('prob_mean', 'logit_mean', 'per_sample')},
    'uncertainty': dict(type='gssl_mm.UncertaintyGate'),
    'aligned': dict(type='gssl_mm.AlignedGate', momentum=0.2),
    'aligned-per_sample': dict(
        type='gssl_mm.AlignedGate', reduce='per_sample', cut_negative=True),
}
COUNTS = [100, 30, 9, 3]


class SmoothNet(torch.nn.Sequential):
    """Without batch statistics, which are local to a process.

    And without kinks: a rounding error next to one changes a gradient by more
    than the tolerance.
    """

    def __init__(self):
        super().__init__(
            torch.nn.Conv2d(3, 16, 3, stride=2), torch.nn.Tanh(),
            torch.nn.Conv2d(16, 32, 3, stride=2), torch.nn.Tanh())

    def forward(self, images):
        return (super().forward(images), )


def build(mode):
    model = MODELS.build(dict(
        type='ImageClassifier',
        backbone=SmoothNet(),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(
            type='gssl_mm.GatedMultiTaskHead', in_channels=32, tasks=TASKS,
            task_head='cosine', loss_weight=0.5,
            gate=copy.deepcopy(GATES[mode]),
            primary=dict(
                type='gssl_mm.CosineClsHead', num_classes=4, in_channels=32,
                loss=dict(type='gssl_mm.LDAMLoss', class_counts=COUNTS))),
        data_preprocessor=dict(
            type='gssl_mm.PretextDataPreprocessor', mean=[120.] * 3,
            std=[60.] * 3, augment=[dict(type='gssl_mm.RandomCropFlip')],
            pretext=dict(tasks=TASKS))))
    model.head.primary.loss_module.set_class_weight([0.2, 0.5, 1., 2.3])
    return model


if __name__ == '__main__':
    main(build, GATES, steps=10)
