"""Train joint heads for six steps; as one process or under torchrun.

Writes, for each model, the total loss of each step (averaged over processes)
and the final weights.
"""
import sys

import torch
import torch.distributed as dist
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

LDAM = dict(type='gssl_mm.LDAMLoss', class_counts=[100, 30, 9, 3])
HEADS = {
    'masks': dict(inference='distilled'),
    'masks-ldam': dict(inference='distilled', head='cosine', loss=LDAM),
    'rotations-ldam': dict(
        inference='distilled', head='cosine', loss=LDAM, num_rotations=4),
}


class SmoothNet(torch.nn.Module):
    """Two tapped stages without batch statistics, which are local."""

    def __init__(self):
        super().__init__()
        self.one = torch.nn.Conv2d(3, 8, 3, stride=2)
        self.two = torch.nn.Conv2d(8, 16, 3, stride=2)

    def forward(self, images):
        first = self.one(images).tanh()
        return first, self.two(first).tanh()


def build(name):
    torch.manual_seed(0)
    backbone = SmoothNet()
    neck = dict(type='gssl_mm.FeatureMaskNeck')
    if 'rotations' in name:
        backbone = dict(type='gssl_mm.RotatedBackbone', backbone=backbone)
        neck.update(stacked=4)
    model = MODELS.build(dict(
        type='ImageClassifier', backbone=backbone, neck=neck,
        head=dict(type='gssl_mm.JointLabelHead', num_classes=4,
                  in_channels=(8, 16), **HEADS[name]),
        data_preprocessor=dict(
            type='gssl_mm.PretextDataPreprocessor', mean=[120.] * 3,
            std=[60.] * 3)))
    for module in model.modules():
        if hasattr(module, 'set_class_weight'):
            module.set_class_weight([0.2, 0.5, 1., 2.3])
    if dist.is_initialized():
        return MMDistributedDataParallel(
            model, device_ids=None, broadcast_buffers=False)
    return model


def run(name, rank, size):
    model = build(name)
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), 0.05, 0.9))
    draws = torch.Generator().manual_seed(1)
    totals = []
    for _ in range(6):
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
    plain = getattr(model, 'module', model)
    return dict(totals=totals, weights=plain.state_dict())


def main(out, distributed):
    torch.set_num_threads(1)
    if distributed:
        dist.init_process_group('gloo')
    rank = dist.get_rank() if distributed else 0
    size = dist.get_world_size() if distributed else 1
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        results = {name: run(name, rank, size) for name in HEADS}
    if rank == 0:
        torch.save(results, out)


if __name__ == '__main__':
    main(sys.argv[1], len(sys.argv) > 2)
