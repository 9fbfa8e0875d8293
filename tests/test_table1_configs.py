"""The recipes of Table 1 (long-tailed CIFAR): switches, data, cited numbers."""
import ast
import re
from functools import cache
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from torch import nn

import gssl_mm.engine
import gssl_mm.models  # noqa: F401  both register what configs name
from gssl_mm.registry import MODELS

ROOT = Path(__file__).resolve().parents[1] / 'configs' / 'gssl'
DATA = {'cifar10lt': ('CIFAR10', 10), 'cifar100lt': ('CIFAR100', 100)}
RATIOS = {'': 0.01, '-r0.02': 0.02, '-r0.05': 0.05}
ROTATION = dict(type='gssl_mm.LocalRotation')
FLIP = dict(type='gssl_mm.LocalFlip', axis='vertical')
PERMUTATION = dict(type='gssl_mm.LocalChannelPermutation')
ALL = [ROTATION, FLIP, PERMUTATION]
GATE = dict(type='gssl_mm.SoftmaxGate', grad='detached', reduce='logit_mean',
            init='kaiming')
# method: tasks, gate, epochs
GATED = {
    '': (ALL, GATE, 300),
    '-lorot-flip': ([ROTATION, FLIP], GATE, 300),
    '-lorot-perm': ([ROTATION, PERMUTATION], GATE, 300),
    '-nogate': (ALL, dict(type='gssl_mm.UniformGate'), 300),
    '-learnedgate': (ALL, dict(GATE, grad='learned'), 300),
    '-lorot': ([ROTATION], None, 200),
}
# method: top-1 in percent, ratios 0.01, 0.02, 0.05 of CIFAR-10-LT, then 100
PAPER = {
    '-ldamdrw': [77.03, 80.94, 85.46, 42.04, 46.15, 53.25],
    '-ssp': [77.83, 82.13, None, 43.43, 47.11, None],
    '-slasd': [80.24, None, None, 45.53, None, None],
    '-lorot': [81.82, 84.41, 86.67, 46.48, 50.05, 54.66],
    '-lorot-flip': [81.65, 83.93, 86.64, 46.48, 49.96, 54.63],
    '-lorot-perm': [81.91, 84.33, 86.91, 46.53, 49.95, 54.85],
    '': [81.67, 84.65, 86.35, 47.37, 50.57, 54.75],
}
METHODS = [*GATED, '-ce', '-ldamdrw', '-ssp', '-ssp-pretrain', '-slasd']


load = cache(Config.fromfile)


def columns(method):
    return [(data, end, ROOT / f'resnet32{method}_{data}{end}.py')
            for data in DATA for end in RATIOS]


@pytest.mark.parametrize('method', METHODS)
def test_every_column_has_its_data_and_schedule(method):
    for data, end, path in columns(method):
        cfg, (kind, classes) = load(path), DATA[data]
        train = cfg.train_dataloader.dataset
        assert train.type == 'gssl_mm.LongTailedDataset'
        assert train.imbalance_ratio == RATIOS[end]
        assert not {'profile', 'subset_seed'} & set(train)
        assert train.dataset.type == f'gssl_mm.{kind}'
        assert cfg.val_dataloader.dataset.type == f'gssl_mm.{kind}'
        head = cfg.model.head
        found = head.get('primary', head).num_classes
        assert found == (4 if method == '-ssp-pretrain' else classes)
        assert cfg.train_cfg.max_epochs == GATED.get(method, (0, 0, 200))[2]
        assert cfg.total_batch_size == 128
        drw = [hook.drw_epoch for hook in cfg.custom_hooks
               if hook.type == 'gssl_mm.LDAMHook']
        assert drw == ([] if method in ('-ce', '-ssp-pretrain') else [160])


@pytest.mark.parametrize('method', METHODS)
def test_images_are_those_of_the_released_code(method):
    for _, _, path in columns(method):
        cfg = load(path).model.data_preprocessor
        assert cfg.mean == pytest.approx(
            [255 * m for m in (0.4914, 0.4822, 0.4465)])
        assert cfg.std == pytest.approx(
            [255 * s for s in (0.2023, 0.1994, 0.2010)])
        assert cfg.augment == [dict(type='gssl_mm.RandomCropFlip', padding=4)]


@pytest.mark.parametrize('method', GATED)
def test_gated_recipes_set_the_switches_of_the_released_code(method):
    tasks, gate, _ = GATED[method]
    for _, _, path in columns(method):
        model = load(path).model.to_dict()
        head = model['head']
        assert head['tasks'] == tasks
        assert model['data_preprocessor']['pretext'] == dict(tasks=tasks)
        assert head['gate'] == gate
        assert head['loss_weight'] == 0.1 and head['task_head'] == 'cosine'
        primary = head['primary']
        assert primary['type'] == 'gssl_mm.CosineClsHead'
        assert primary['loss'] == dict(type='gssl_mm.LDAMLoss')
        assert model['backbone'] == dict(type='gssl_mm.CIFARResNet', depth=32)


@pytest.mark.parametrize('method', METHODS)
def test_the_first_lines_cite_the_papers_number(method):
    for (_, _, path), number in zip(
            columns(method), PAPER.get(method, [None] * 6), strict=True):
        text = ast.get_docstring(ast.parse(path.read_text()))
        cited = re.search(r'Table 1: ([\d.]+)', text)
        assert (float(cited[1]) if cited else None) == number, path.name


@pytest.mark.parametrize('path, end', [
    (path, f'{data}{end}') for data, end, path in columns('-ssp')])
def test_ssp_goes_on_from_its_best_first_stage(path, end, tmp_path,
                                               monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = load(ROOT / f'resnet32-ssp-pretrain_{end}.py')
    assert first.default_hooks.checkpoint.save_best == 'accuracy/top1'
    run = tmp_path / f'work_dirs/resnet32-ssp-pretrain_{end}/seed0'
    run.mkdir(parents=True)
    trained = MODELS.build(first.model)
    for parameter in trained.parameters():
        nn.init.constant_(parameter, 0.5)
    torch.save(dict(state_dict=trained.state_dict()),
               run / 'best_accuracy_top1_epoch_150.pth')
    torch.save(dict(state_dict={}), run / 'epoch_200.pth')
    model = MODELS.build(load(path).model)
    model.init_weights()
    assert all((p == 0.5).all() for p in model.backbone.parameters())
    assert not any((p == 0.5).all() for p in model.head.parameters())
