"""Recipes of semi-supervised training: rows, schedule, decay, two steps."""
import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner
from mmpretrain.registry import MODELS
from torch import nn

from gssl_mm.datasets.split_file import read_split
from gssl_mm.tooling.batch_size import apply_total_batch_size

ROOT = Path(__file__).resolve().parents[1] / 'configs' / 'semi'
NAMES = sorted(path.stem for path in ROOT.glob('*.py'))
# The row's classifier, its weight, and unlabelled images for a labelled one
ROWS = {'-pimodel': ('PiModelClassifier', 10., 1),
        '-pseudolabel': ('PseudoLabelClassifier', 1., 1),
        '-meanteacher': ('MeanTeacherClassifier', 50., 1),
        '-mixmatch': ('MixMatchClassifier', 100., 1),
        '-fixmatch': ('FixMatchClassifier', 1., 7),
        '-fixmatch-gssl': ('FixMatchClassifier', 1., 7),
        '-fixmatch-gssl-separate': ('FixMatchClassifier', 1., 7)}
FAMILIES = ['wrn28-2_cifar10-250', 'wrn28-2-fixmatch-gssl_cifar10-4000',
            'wrn28-2-meanteacher_cifar10-40',
            'wrn10-1-fixmatch-gssl-separate_cifar10-250-6k']
OTHERS = [name for name in NAMES if name not in FAMILIES]


def load(name):
    return Config.fromfile(ROOT / f'{name}.py')


@pytest.mark.parametrize('labels', [4000, 250, 40])
@pytest.mark.parametrize('row', ROWS)
def test_rows_of_table_4(row, labels):
    cfg = load(f'wrn28-2{row}_cifar10-{labels}')
    kind, weight, ratio = ROWS[row]
    assert cfg.train_dataloader.dataset.num_labeled == labels
    assert cfg.total_batch_size == 64
    model = MODELS.build(cfg.model)
    assert type(model).__name__ == kind and model.unlabeled_weight == weight
    hook, = cfg.custom_hooks
    assert hook.to_dict() == dict(
        type='gssl_mm.FixMatchHook', unlabeled_ratio=ratio, decay=0.999)
    loop = cfg.train_cfg
    assert (loop.type, loop.max_iters, loop.val_interval) == (
        'IterBasedTrainLoop', 2**20, 2**10)
    if 'fixmatch' in row:
        assert model.threshold == 0.95
        assert list(model.data_preprocessor.views) == ['weak', 'strong']
    if 'gssl' in row:
        assert model.head.loss_weight == 0.3
        assert model.head.gate.reduce == 'prob_mean'
        assert not model.head.gate.fc.weight.requires_grad
        assert model.data_preprocessor.ssl_views == (
            'separate' if 'separate' in row else 'inplace_all')
        flip = model.data_preprocessor.pretext.tasks[1]
        assert flip.axis == 'horizontal'


def test_the_recipe_of_fixmatch():
    cfg = load('wrn28-2-fixmatch_cifar10-4000')
    assert cfg.optim_wrapper.optimizer.to_dict() == dict(
        type='SGD', lr=.03, momentum=.9, nesterov=True, weight_decay=5e-4)
    assert [s.to_dict() for s in cfg.param_scheduler] == [
        dict(type='gssl_mm.FixMatchCosineLR', by_epoch=False)]
    inputs = cfg.model.data_preprocessor
    # Pixels in [-1, 1]
    assert inputs['mean'] == inputs['std'] == [127.5] * 3
    crop = dict(type='gssl_mm.RandomCropFlip', padding=4,
                padding_mode='reflect')
    assert inputs.augment == inputs.views.weak == [crop]
    for name, variant in (('', 'kk'), ('-fm', 'fm')):
        strong = load(f'wrn28-2-fixmatch_cifar10-4000{name}'
                      ).model.data_preprocessor.views.strong
        assert strong == [crop, dict(
            type='gssl_mm.BatchRandAugment', variant=variant)]


def test_network():
    model = MODELS.build(load('wrn28-2-fixmatch_cifar10-4000').model)
    model.init_weights()
    assert sum(p.numel() for p in model.parameters()) == 1467610
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert {(m.momentum, m.eps) for m in norms} == {(0.001, 1e-3)}
    assert {m.negative_slope for m in model.modules()
            if isinstance(m, nn.LeakyReLU)} == {0.1}
    assert not any(isinstance(m, nn.ReLU) for m in model.modules())
    # Glorot: variance 2 / (128 + 10)
    assert float(model.head.fc.weight.detach().var()) == pytest.approx(
        2 / 138, rel=0.15)
    assert not model.head.fc.bias.any()
    # Every norm layer's output is read: all of them get a gradient
    model.train().backbone(torch.rand(2, 3, 32, 32))[0].square().sum(
        ).backward()
    assert all(m.weight.grad.any() for m in norms)


def test_kernels_alone_decay():
    cfg = load('wrn28-2-fixmatch-gssl_cifar10-4000')
    model = MODELS.build(cfg.model)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    decay = {id(p): group['weight_decay']
             for group in wrapper.optimizer.param_groups
             for p in group['params']}
    for name, param in model.named_parameters():
        if param.requires_grad:
            kernel = param.ndim > 1
            assert decay[id(param)] == (5e-4 if kernel else 0.), name
        else:
            assert id(param) not in decay
    cfg = load('wrn28-2-fixmatch-gssl_cifar10-4000-released')
    model = MODELS.build(cfg.model)
    groups = build_optim_wrapper(
        model, cfg.optim_wrapper).optimizer.param_groups
    bias = model.head.primary.fc.bias
    assert next(g['weight_decay'] for g in groups
                if g['params'][0] is bias) == 5e-4


def test_switches_of_the_variants():
    gssl = load('wrn28-2-fixmatch-gssl_cifar10-4000').model
    changes = {
        'wrn28-2-fixmatch-gssl-lambda0.1_cifar10-4000':
            lambda m: m.head.update(loss_weight=0.1),
        'wrn28-2-fixmatch-learnedgate_cifar10-4000':
            lambda m: m.head.gate.update(grad='learned'),
        'wrn28-2-fixmatch-gssl-separate_cifar10-4000':
            lambda m: m.data_preprocessor.update(ssl_views='separate')}
    for name, change in changes.items():
        expected = copy.deepcopy(gssl)
        change(expected)
        assert load(name).model == expected, name
    released = load('wrn28-2-fixmatch-gssl_cifar10-4000-released').model
    strong = released.data_preprocessor.views.strong
    assert [step.type for step in strong] == [
        'gssl_mm.BatchRandAugment', 'gssl_mm.RandomCropFlip']
    assert strong[0].variant == 'ly'
    assert strong[1].padding_mode == 'constant'
    assert released.head.loss_weight == 0.1
    assert released.data_preprocessor['mean'] == [125.3, 123., 113.9]
    assert released.data_preprocessor['std'] == [63., 62.1, 66.7]
    # All heads begin as PyTorch's linear layers
    model = MODELS.build(released)
    model.init_weights()
    bound = 128**-.5
    for values in (model.head.primary.fc.weight, model.head.primary.fc.bias):
        assert .6 * bound < float(values.detach().abs().max()) <= bound


def test_several_processes_share_the_recipe():
    cfg = load('wrn28-2-fixmatch_cifar10-4000')
    apply_total_batch_size(cfg, 4)
    assert cfg.train_dataloader.batch_size == 16


@pytest.mark.parametrize('name', [n for n in NAMES if n.endswith('6k')])
def test_shortened_recipes_say_so(name):
    cfg = load(name)
    assert cfg.result_label == 'shortened'
    assert cfg.train_cfg.max_iters // cfg.train_cfg.val_interval >= 20
    assert cfg.total_batch_size == 32
    assert cfg.model.backbone.norm_cfg.eps == 1e-3


def shrink(cfg, work_dir):
    """A few channels, a few images, two updates."""
    cfg.update(work_dir=str(work_dir), log_level='ERROR',
               experiment_name=work_dir.name)
    cfg.train_cfg.update(max_iters=2, val_interval=2)
    cfg.model.backbone.update(depth=10, widen_factor=1)
    cfg.model.head.in_channels = 64
    if 'primary' in cfg.model.head:
        cfg.model.head.primary.in_channels = 64
    for part in ('train', 'val', 'test'):
        loader = cfg[f'{part}_dataloader']
        loader.update(num_workers=0, persistent_workers=False, batch_size=4)
        shapes = dict(type='gssl_mm.SyntheticShapes', num_per_class=1,
                      split='train', image_size=16,
                      pipeline=[dict(type='PackInputs')])
        if part == 'train':
            loader.dataset.num_labeled = 10
            loader.dataset.dataset = shapes
        else:
            loader.dataset = shapes
    return cfg


def run_two_updates(name, tmp_path):
    runner = Runner.from_cfg(shrink(load(name), tmp_path / name))
    before = copy.deepcopy(runner.model.state_dict())
    runner.train()
    assert runner.iter == 2
    after = runner.model.state_dict()
    assert all(value.isfinite().all() for value in after.values())
    for key, param in runner.model.named_parameters():
        moved = not torch.equal(before[key], after[key])
        assert moved == param.requires_grad, key
    assert (tmp_path / name / 'result.json').is_file()


@pytest.mark.parametrize('name', FAMILIES)
def test_one_of_each_family_trains(name, tmp_path):
    run_two_updates(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize('name', OTHERS)
def test_every_recipe_trains(name, tmp_path):
    run_two_updates(name, tmp_path)


def test_published_splits_are_balanced_and_nested():
    """Positions of CIFAR-10, chosen by the seed of the configs."""
    splits = {n: read_split(ROOT / 'splits' / f'cifar10-{n}-seed0.json')
              for n in (40, 250, 4000)}
    assert len({split.labels_sha256 for split in splits.values()}) == 1
    for number, split in splits.items():
        assert len(set(split.labeled.tolist())) == number
        assert (split.num_samples, split.seed) == (50000, 0)
        assert 0 <= split.labeled.min() and split.labeled.max() < 50000
    for small, large in ((40, 250), (250, 4000)):
        for label in range(10):
            few, many = (splits[n].labeled.reshape(10, -1)[label]
                         for n in (small, large))
            assert few.tolist() == many[:len(few)].tolist()
