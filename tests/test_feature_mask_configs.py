"""Recipes of feature masks and SLA train, and report what they promise."""
import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS
from mmengine.runner import Runner
from mmpretrain.registry import MODELS
from torch.utils.flop_counter import FlopCounterMode

from gssl_mm.datasets import ArrayDataset, ArraySource
from gssl_mm.models.heads import to_plain_state_dict
from gssl_mm.registry import DATASETS

ROOT = Path(__file__).resolve().parents[1] / 'configs'
OURS = sorted(str(p.relative_to(ROOT)) for p in (
    *ROOT.glob('feature_mask/*.py'), *ROOT.glob('gssl/*slasd*.py')))
FAMILIES = [f'feature_mask/{name}.py' for name in (
    'resnet110-ft-sd_cifar100', 'resnet110-ft-sla_cifar100',
    'resnet110-ft-mixup_cifar100', 'resnet110-cutout_cifar100',
    'resnet110-ft-after2_cifar100', 'resnet50-mask1_dogs',
    'resnet32-ft-gssl_cifar100lt')] + ['gssl/resnet32-slasd_cifar10lt.py']
# The others differ by a number
OTHERS = [n for n in OURS
          if n not in FAMILIES and '-beta0' not in n and '-r0.0' not in n]
DEPTHS = dict(CIFARResNet=11, WideResNet=10, PyramidNet=8)


@DATASETS.register_module(force=True)
class NoiseImages(ArrayDataset):
    """Two random images a class."""

    def __init__(self, classes, size, **kwargs):
        self.size = size
        names = tuple(str(c) for c in range(classes))
        super().__init__(metainfo=dict(classes=names), **kwargs)

    def load_arrays(self):
        classes = len(self.metainfo['classes'])
        rng = np.random.default_rng(0)
        images = rng.integers(
            256, size=(2 * classes, self.size, self.size, 3), dtype=np.uint8)
        return ArraySource(
            np.arange(2 * classes) % classes, images.__getitem__)


def load(name):
    return Config.fromfile(ROOT / name)


def num_classes(cfg):
    head = cfg.model.head.get('primary', cfg.model.head)
    return head.num_classes


def shrink(cfg, work_dir):
    """Few layers, a dozen images, two iterations."""
    cfg.update(work_dir=str(work_dir), log_level='ERROR',
               experiment_name=work_dir.name)
    cfg.train_cfg.max_epochs = 1
    backbone = cfg.model.backbone.get('backbone', cfg.model.backbone)
    kind = backbone.type.split('.')[-1]
    if kind in DEPTHS:
        basic = backbone.get('block', 'basic') == 'basic'
        backbone.depth = 8 if basic and kind == 'CIFARResNet' else DEPTHS[kind]
    size = 64 if kind == 'ResNet' else 16
    for part in ('train', 'val', 'test'):
        loader = cfg[f'{part}_dataloader']
        pipeline = loader.dataset.get('pipeline') or [dict(type='PackInputs')]
        pipeline = [t for t in pipeline if 'File' not in t['type']]
        for step in pipeline:
            step.update({key: size for key in ('scale', 'crop_size')
                         if key in step})
        loader.dataset = dict(
            type='gssl_mm.NoiseImages', classes=num_classes(cfg), size=size,
            indices=12, pipeline=pipeline)
        loader.update(num_workers=0, persistent_workers=False, batch_size=6)
    for hook in cfg.get('custom_hooks') or []:
        hook.class_counts = [2] * num_classes(cfg)
    cfg.val_evaluator = [
        metric for metric in cfg.val_evaluator
        if metric['type'] != 'gssl_mm.ShotAccuracy']
    return cfg


def run_two_iterations(name, tmp_path):
    cfg = shrink(load(name), tmp_path / Path(name).stem)
    runner = Runner.from_cfg(cfg)
    before = copy.deepcopy(runner.model.state_dict())
    runner.train()
    assert runner.iter == 2
    after = runner.model.state_dict()
    assert all(value.isfinite().all() for value in after.values())
    for key, param in runner.model.named_parameters():
        moved = not torch.equal(before[key], after[key])
        assert moved == param.requires_grad, key
    results = json.loads((Path(cfg.work_dir) / 'result.json').read_text())
    check_modes(cfg, results['metrics'])
    return cfg, runner.model


def check_modes(cfg, metrics):
    """One run reports every inference mode; the chosen one is the top-1."""
    head = cfg.model.head.get('primary', cfg.model.head)
    found = {key for key in metrics if key.startswith('acc_')}
    if head.type != 'gssl_mm.JointLabelHead':
        assert not found
        return
    inference = head.get('inference', 'single')
    modes = {'acc_single', 'acc_aggregated'}
    assert found == modes | {f'acc_{inference}'}
    assert metrics[f'acc_{inference}']['last'] == pytest.approx(
        metrics['accuracy/top1']['last'])


@pytest.mark.parametrize('name', FAMILIES)
def test_one_of_each_family_trains(name, tmp_path):
    run_two_iterations(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize('name', OTHERS)
def test_every_config_trains(name, tmp_path):
    run_two_iterations(name, tmp_path)


@pytest.mark.parametrize('name, baseline', [
    ('feature_mask/resnet110-ft_cifar100.py', 'resnet110-ce_cifar100'),
    ('feature_mask/resnet110-ft-sla_cifar100.py', 'resnet110-ce_cifar100'),
    ('feature_mask/resnet110-ft-after1_cifar100.py', 'resnet110-ce_cifar100'),
    ('feature_mask/resnet50-ft_cub.py', 'resnet50-ce_cub'),
])
def test_single_inference_has_exactly_the_size_of_the_baseline(name, baseline):
    ours = MODELS.build(load(name).model)
    plain = MODELS.build(load(f'feature_mask/{baseline}.py').model)
    exported = to_plain_state_dict(ours.state_dict())
    assert ({key: value.shape for key, value in exported.items()}
            == {key: value.shape for key, value in plain.state_dict().items()})


@pytest.mark.parametrize('name, views', [
    ('resnet110-ft_cifar100', 5), ('resnet110-sla_cifar100', 4),
    ('resnet110-ft-sla_cifar100', 20), ('resnet110-ft-after1_cifar100', 5),
    ('resnet32-ft-gssl_cifar100lt', 5)])
def test_neck_and_head_agree_on_the_views(name, views):
    model = MODELS.build(load(f'feature_mask/{name}.py').model)
    head = getattr(model.head, 'primary', model.head)
    assert model.neck.num_views == head.num_views == views
    assert head.fc.weight.shape[0] == 100 * views


def test_a_recipe_differs_from_its_baseline_in_the_method_alone():
    ours = load('feature_mask/resnet110-ft_cifar100.py').to_dict()
    plain = load('feature_mask/resnet110-ce_cifar100.py').to_dict()
    for cfg in (ours, plain):
        for key in ('val_evaluator', 'test_evaluator'):
            cfg.pop(key)
        for key in ('neck', 'head'):
            cfg['model'].pop(key)
        cfg['model']['backbone'].pop('out_indices', None)
    assert ours == plain


def rates(name):
    """Learning rate of each epoch, as the config's schedulers set it."""
    cfg = load(f'feature_mask/{name}.py')
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 0.1)
    schedulers = [PARAM_SCHEDULERS.build(dict(s, optimizer=optimizer))
                  for s in cfg.param_scheduler]
    seen = []
    for _ in range(cfg.train_cfg.max_epochs):
        seen.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return cfg, seen


@pytest.mark.parametrize('name, epochs, drops, factor, optimizer', [
    ('resnet110-ft_cifar100', 300, (150, 225), 0.1, dict(weight_decay=1e-4)),
    ('wrn28-10-ft-sd_cifar100', 300, (150, 225), 0.1, dict(weight_decay=1e-4)),
    ('resnet50-ft_cars', 300, (150, 225), 0.1, dict(weight_decay=1e-4)),
    ('resnet110-ft-cutout_cifar100-public', 200, (60, 120, 160), 0.2,
     dict(weight_decay=5e-4, nesterov=True)),
    ('resnet110-mixup_cifar100-public', 200, (100, 150), 0.1,
     dict(weight_decay=1e-4)),
    ('resnet20-ft_cifar100-40e', 40, (20, 30), 0.1, dict(weight_decay=1e-4)),
])
def test_recipe(name, epochs, drops, factor, optimizer):
    cfg, seen = rates(name)
    expected = [0.1 * factor**sum(e >= drop for drop in drops)
                for e in range(epochs)]
    assert seen == pytest.approx(expected, rel=1e-6)
    assert cfg.optim_wrapper.optimizer.to_dict() == dict(
        type='SGD', lr=0.1, momentum=0.9, **optimizer)


@pytest.mark.parametrize('name, size', [
    ('resnet110-ft_cifar100', 128), ('resnet110-ft-sd_tinyimagenet', 256),
    ('resnet50-ft-sd_dogs', 16)])
def test_batch_size(name, size):
    cfg = load(f'feature_mask/{name}.py')
    assert cfg.total_batch_size == cfg.auto_scale_lr.base_batch_size == size


@pytest.mark.parametrize('name, size, maps', [
    ('resnet56-ft_cifar100', 32, [(128, 16, 16), (256, 8, 8)]),
    ('resnet110-ft_cifar100', 32, [(128, 16, 16), (256, 8, 8)]),
    ('resnet164-ft_cifar100', 32, [(128, 16, 16), (256, 8, 8)]),
    ('wrn28-10-ft_cifar100', 32, [(320, 16, 16), (640, 8, 8)]),
    ('pyramidnet110-ft_cifar100', 32, [(196, 16, 16), (286, 8, 8)]),
    ('resnet110-ft_tinyimagenet', 64, [(128, 32, 32), (256, 16, 16)]),
    ('resnet50-ft_cub', 224, [(1024, 14, 14), (2048, 7, 7)]),
])
def test_maps_are_taken_where_the_paper_takes_them(name, size, maps):
    cfg = load(f'feature_mask/{name}.py')
    model = MODELS.build(cfg.model).to('meta')
    found = model.backbone(torch.empty(1, 3, size, size, device='meta'))
    assert [tuple(feat.shape[1:]) for feat in found] == maps
    assert model.head.in_channels == tuple(shape[0] for shape in maps)


def resnet50_closed_form(size=224):
    """Stem, and 3, 4, 6 and 3 bottlenecks of 64 to 512, each with BN.

    A k x k convolution from a to b channels on an s x s output has k*k*a*b
    numbers, costs k*k*a*b*s*s multiply-adds, and is followed by 2b numbers.
    """
    total = [0, 0]

    def conv(inputs, outputs, kernel, side):
        weights = inputs * outputs * kernel**2
        total[0] += weights + 2 * outputs
        total[1] += weights * side**2

    conv(3, 64, 7, size // 2)
    inputs, side = 64, size // 4
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            first = block == 0
            conv(inputs, width, 1, side)
            side = side // 2 if first and width > 64 else side
            conv(width, width, 3, side)
            conv(width, 4 * width, 1, side)
            if first:
                conv(inputs, 4 * width, 1, side)
            inputs = 4 * width
    return tuple(total)


def test_parameters_and_multiply_adds_of_the_hosts_resnet50():
    model = MODELS.build(load('feature_mask/resnet50-ft_cub.py').model)
    params = sum(p.numel() for p in model.backbone.parameters())
    model.to('meta').eval()
    with FlopCounterMode(display=False) as counter:
        model.backbone(torch.empty(1, 3, 224, 224, device='meta'))
    macs = counter.get_total_flops() // 2
    assert (params, macs) == resnet50_closed_form()
    # Published for 1000 classes: 25.557 M, and 4.09 G with strided 3x3s
    assert params + 1000 * 2049 == 25_557_032
    assert macs + 1000 * 2048 == pytest.approx(4.09e9, rel=2e-3)
    head = sum(p.numel() for p in model.head.parameters())
    assert head == 5 * 200 * (1024 + 1 + 2048 + 1)
