"""Adversarial training for some steps; as one process or under torchrun.

Writes the total loss of each step (averaged over processes) and the final
weights of each kind of training.
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
    torch.manual_seed(0)
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
    if dist.is_initialized():
        return MMDistributedDataParallel(
            model, device_ids=None, broadcast_buffers=False)
    return model


def run(kind, rank, size):
    model = build(kind)
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), 0.5, 0.9))
    draws = torch.Generator().manual_seed(1)
    totals = []
    for step in range(5):
        MessageHub.get_current_instance().runtime_info.update(iter=step, seed=0)
        images = torch.randint(256, (12, 3, 16, 16), generator=draws)
        labels = torch.randint(4, (12, ), generator=draws)
        part = slice(rank, None, size)
        logs = model.train_step(
            dict(inputs=images[part].to(torch.uint8),
                 data_samples=[DataSample().set_gt_label(int(label))
                               for label in labels[part]]), optimizer)
        total = logs['loss'].detach()
        if size > 1:
            dist.all_reduce(total)
        totals.append(float(total) / size)
    plain = getattr(model, 'module', model)
    return dict(totals=totals, weights=plain.state_dict())


def main(out, distributed):
    torch.set_num_threads(1)
    if distributed:
        dist.init_process_group('gloo')
    rank = dist.get_rank() if distributed else 0
    size = dist.get_world_size() if distributed else 1
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        results = {kind: run(kind, rank, size) for kind in KINDS}
    if rank == 0:
        torch.save(results, out)


if __name__ == '__main__':
    main(sys.argv[1], len(sys.argv) > 2)
