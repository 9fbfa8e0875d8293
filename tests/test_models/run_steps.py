"""Train every head mode for ten steps; as one process or under torchrun.

Writes, for each mode, the total loss of each step (averaged over processes),
the gradients of the first step and the final weights.
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


def build(gate):
    torch.manual_seed(0)
    model = MODELS.build(dict(
        type='ImageClassifier',
        backbone=SmoothNet(),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(
            type='gssl_mm.GatedMultiTaskHead', in_channels=32, tasks=TASKS,
            task_head='cosine', loss_weight=0.5, gate=copy.deepcopy(gate),
            primary=dict(
                type='gssl_mm.CosineClsHead', num_classes=4, in_channels=32,
                loss=dict(type='gssl_mm.LDAMLoss', class_counts=COUNTS))),
        data_preprocessor=dict(
            type='gssl_mm.PretextDataPreprocessor', mean=[120.] * 3,
            std=[60.] * 3, augment=[dict(type='gssl_mm.RandomCropFlip')],
            pretext=dict(tasks=TASKS))))
    model.head.primary.loss_module.set_class_weight([0.2, 0.5, 1., 2.3])
    if dist.is_initialized():
        return MMDistributedDataParallel(
            model, device_ids=None, broadcast_buffers=False)
    return model


def run(gate, rank, size):
    model = build(gate)
    optimizer = OptimWrapper(torch.optim.SGD(
        [p for p in model.parameters() if p.requires_grad], 0.05, 0.9))
    draws = torch.Generator().manual_seed(1)
    totals, grads = [], {}
    for step in range(10):
        MessageHub.get_current_instance().runtime_info.update(iter=step, seed=0)
        images = torch.randint(256, (16, 3, 16, 16), generator=draws)
        labels = torch.randint(4, (16, ), generator=draws)
        part = slice(rank, None, size)
        logs = model.train_step(
            dict(inputs=images[part].to(torch.uint8),
                 data_samples=[DataSample().set_gt_label(int(label))
                               for label in labels[part]]), optimizer)
        total = logs['loss'].detach()
        if size > 1:
            dist.all_reduce(total)
        totals.append(float(total) / size)
        if step == 0:
            grads = gradients(model, optimizer.optimizer)
    plain = getattr(model, 'module', model)
    return dict(totals=totals, grads=grads, weights=plain.state_dict())


def gradients(model, optimizer):
    """Those of the first step, which its momentum buffers still hold."""
    return {name.removeprefix('module.'):
            optimizer.state[param]['momentum_buffer'].clone()
            for name, param in model.named_parameters() if param.requires_grad}


def main(out, distributed):
    torch.set_num_threads(1)
    if distributed:
        dist.init_process_group('gloo')
    rank = dist.get_rank() if distributed else 0
    size = dist.get_world_size() if distributed else 1
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        results = {name: run(gate, rank, size) for name, gate in GATES.items()}
    if rank == 0:
        torch.save(results, out)


if __name__ == '__main__':
    main(sys.argv[1], len(sys.argv) > 2)
