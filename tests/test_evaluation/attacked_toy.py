"""A fitted linear classifier of a few images, tested under attacks.

``python attacked_toy.py WORK_DIR OPTIONS.json`` tests it, as one process or
under torchrun, and writes the metrics of this process.
"""
import json
import os
import sys
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.dist import get_rank
from mmengine.runner import Runner
from mmpretrain.registry import DATASETS, MODELS
from torch import nn

import gssl_mm.datasets
import gssl_mm.engine  # noqa: F401

NUM, SIZE = 23, 16
MEAN, STD = [120., 110., 100.], [60., 50., 55.]
ATTACKS = dict(
    weak=dict(type='gssl_mm.PGD', eps=8 / 255, step_size=6 / 255, num_steps=2),
    strong=dict(type='gssl_mm.PGD', eps=10 / 255, step_size=4 / 255,
                num_steps=4),
    again=dict(type='gssl_mm.PGD', eps=9 / 255, step_size=4 / 255,
               num_steps=4, loss='margin', restarts=2))


@MODELS.register_module()
class FlatPixels(nn.Module):
    """Pooled pixels as features."""

    def __init__(self):
        super().__init__()
        self.pool = nn.AvgPool2d(2)

    def forward(self, images):
        return (self.pool(images).flatten(1), )


DATA = dict(type='gssl_mm.SyntheticShapes', num_per_class=3, split='test',
            image_size=SIZE, indices=list(range(NUM)), test_mode=True,
            pipeline=[dict(type='PackInputs')])


def config(work_dir, pixels=False, batch=5, **changes):
    preprocessor = dict(
        type='gssl_mm.PretextDataPreprocessor',
        mean=[0.] * 3 if pixels else MEAN, std=[255.] * 3 if pixels else STD)
    width = 3 * (SIZE // 2)**2
    cfg = Config(dict(
        default_scope='mmpretrain', work_dir=str(work_dir), log_level='ERROR',
        experiment_name=Path(work_dir).name, randomness=dict(seed=0),
        model=dict(
            type='gssl_mm.AdversarialClassifier' if pixels else
            'ImageClassifier', backbone=dict(type='FlatPixels'),
            head=dict(type='LinearClsHead', num_classes=10, in_channels=width),
            data_preprocessor=preprocessor),
        test_dataloader=dict(
            batch_size=batch, num_workers=0, dataset=DATA,
            sampler=dict(type='DefaultSampler', shuffle=False)),
        test_evaluator=[dict(type='Accuracy')],
        test_cfg=dict(type='gssl_mm.PGDEvaluator', attacks=ATTACKS)))
    cfg.merge_from_dict(changes)
    return cfg


def fit(model):
    """Least squares on the test images: right without an attack."""
    dataset = DATASETS.build(DATA)
    images = torch.stack([dataset[i]['inputs'] for i in range(NUM)])
    labels = torch.stack([dataset[i]['data_samples'].gt_label
                          for i in range(NUM)])[:, 0]
    inputs = model.data_preprocessor(dict(inputs=images), False)['inputs']
    feats = model.extract_feat(inputs)[0].double()
    gram = feats @ feats.T + 1e-3 * torch.eye(NUM, dtype=torch.float64)
    goal = 10 * torch.nn.functional.one_hot(labels, 10).double() - 1
    # Two wrong ones, so that clean errors are counted as well
    goal[[3, 11]] = goal[[3, 11]].roll(1, 1)
    weight = (feats.T @ torch.linalg.solve(gram, goal)).T
    with torch.no_grad():
        model.head.fc.weight.copy_(weight)
        model.head.fc.bias.zero_()


def run(cfg):
    runner = Runner.from_cfg(cfg)
    fit(getattr(runner.model, 'module', runner.model))
    return runner, runner.test()


def main(work_dir, options):
    torch.set_num_threads(1)
    options = json.loads(options)
    if 'RANK' in os.environ:
        torch.distributed.init_process_group('gloo')
        options.update(launcher='pytorch', model_wrapper_cfg=dict(
            type='MMDistributedDataParallel', device_ids=None))
    for folder, change in options.pop('runs').items():
        cfg = config(Path(work_dir, folder), **options)
        cfg.merge_from_dict(change)
        metrics = run(cfg)[1]
        out = Path(work_dir, folder, f'metrics{get_rank()}.json')
        out.write_text(json.dumps(metrics))
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


if __name__ == '__main__':
    main(*sys.argv[1:])
