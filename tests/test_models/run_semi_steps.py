"""Train every semi-supervised classifier for some steps; alone or by torchrun.

Writes, for each, the total loss of each step (averaged over processes) and the
final weights.
"""
import copy
import sys

import torch
import torch.distributed as dist
from mmengine.logging import MessageHub
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from two_processes import gloo_group

TASKS = [dict(type='gssl_mm.LocalRotation'), dict(type='gssl_mm.LocalFlip'),
         dict(type='gssl_mm.LocalChannelPermutation')]
LINEAR = dict(type='LinearClsHead', num_classes=4, in_channels=32)
CROP = dict(type='gssl_mm.RandomCropFlip', padding_mode='reflect')
STRONG = [CROP, dict(type='gssl_mm.BatchRandAugment', variant='kk')]
# Classifier, views, pretext tasks or None, unlabelled images for a labelled one
KINDS = {
    'fixmatch': ('FixMatch', dict(weak=[CROP], strong=STRONG), None, 3),
    'inplace_all': ('FixMatch', dict(weak=[CROP], strong=STRONG),
                    'inplace_all', 3),
    'separate': ('FixMatch', dict(weak=[CROP], strong=STRONG), 'separate', 3),
    'pi': ('PiModel', dict(a=[CROP], b=[CROP]), None, 1),
    'pseudo': ('PseudoLabel', dict(a=[CROP]), None, 1),
    'teacher': ('MeanTeacher', dict(a=[CROP], b=[CROP]), None, 1),
    'mixmatch': ('MixMatch', dict(a=[CROP], b=[CROP]), None, 1),
}
STEPS, BATCH = 6, 8


class SmoothNet(torch.nn.Sequential):
    """Without batch statistics, which are local to a process."""

    def __init__(self):
        super().__init__(
            torch.nn.Conv2d(3, 16, 3, stride=2), torch.nn.Tanh(),
            torch.nn.Conv2d(16, 32, 3, stride=2), torch.nn.Tanh())

    def forward(self, images):
        return (super().forward(images), )


def build(kind, views, ssl_views):
    torch.manual_seed(0)
    head = LINEAR if ssl_views is None else dict(
        type='gssl_mm.GatedMultiTaskHead', in_channels=32, tasks=TASKS,
        primary=LINEAR, gate=dict(type='gssl_mm.SoftmaxGate'))
    more = dict(threshold=0.4) if kind in ('FixMatch', 'PseudoLabel') else {}
    model = MODELS.build(dict(
        type=f'gssl_mm.{kind}Classifier', backbone=SmoothNet(),
        neck=dict(type='GlobalAveragePooling'), head=copy.deepcopy(head),
        data_preprocessor=dict(
            type='gssl_mm.SemiSupervisedDataPreprocessor', mean=[120.] * 3,
            std=[60.] * 3, augment=[CROP], views=copy.deepcopy(views),
            pretext=dict(tasks=TASKS) if ssl_views else None,
            ssl_views=ssl_views or 'inplace_all'), **more))
    primary = getattr(model.head, 'primary', model.head)
    torch.nn.init.normal_(primary.fc.weight, std=3.)
    return model


def batch(draws, ratio, part):
    images = torch.randint(
        256, (BATCH, 3, 16, 16), generator=draws, dtype=torch.uint8)
    labels = torch.randint(4, (BATCH, ), generator=draws)
    size = BATCH * ratio
    unlabeled = dict(
        inputs=torch.randint(256, (size, 3, 16, 16), generator=draws,
                             dtype=torch.uint8)[part],
        gt_label=torch.randint(4, (size, ), generator=draws)[part])
    return dict(inputs=images[part], unlabeled=unlabeled, data_samples=[
        DataSample().set_gt_label(int(label)) for label in labels[part]])


def run(kind, views, ssl_views, ratio, rank, size):
    model = build(kind, views, ssl_views)
    if hasattr(model, 'set_teacher'):
        teacher = copy.deepcopy(model)
        teacher.head.fc.weight.data.mul_(0.5)
        model.set_teacher(teacher)
    plain = model
    if size > 1:
        model = MMDistributedDataParallel(
            model, device_ids=None, broadcast_buffers=False)
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), 0.05, 0.9))
    draws, totals = torch.Generator().manual_seed(1), []
    hub = MessageHub.get_current_instance().runtime_info
    for step in range(STEPS):
        hub.update(iter=step, seed=0, max_iters=STEPS)
        logs = model.train_step(
            batch(draws, ratio, slice(rank, None, size)), optimizer)
        total = logs['loss'].detach()
        if size > 1:
            dist.all_reduce(total)
        totals.append(float(total) / size)
    return dict(totals=totals, weights=plain.state_dict())


def main(out, distributed):
    torch.set_num_threads(1)
    with (gloo_group(distributed) as (rank, size),
          DefaultScope.overwrite_default_scope('mmpretrain')):
        results = {name: run(*kind, rank, size)
                   for name, kind in KINDS.items()}
        if rank == 0:
            torch.save(results, out)


if __name__ == '__main__':
    main(sys.argv[1], len(sys.argv) > 2)
