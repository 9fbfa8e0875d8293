"""The recipes of long-tailed CIFAR: one part off at a time, each part alone."""
import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmpretrain.registry import MODELS

ROOT = Path(__file__).resolve().parents[1] / 'configs' / 'gssl'
DATASETS = ['cifar100lt', 'cifar10lt']
# What a leaf may change, and nothing else
PARTS = {
    'noaug': ['model.data_preprocessor.augment'],
    'noautoaugment': ['model.data_preprocessor.augment'],
    'nocutout': ['model.data_preprocessor.augment'],
    'noadjust': ['model.head.primary.loss'],
    'noema': ['custom_hooks'],
    'nopretext': ['model.head', 'model.data_preprocessor.pretext'],
}
TASKS = [dict(type='gssl_mm.LocalRotation'), dict(type='gssl_mm.LocalFlip')]
CROP = dict(type='gssl_mm.RandomCropFlip', padding=4)
STRONG = [CROP, dict(type='gssl_mm.BatchAutoAugment'),
          dict(type='gssl_mm.RandomCutout', size=8, fill=120.)]


def load(name):
    return Config.fromfile(ROOT / f'{name}.py')


def changed(one, other, prefix=''):
    """Dotted keys at which two nested dicts differ."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return [] if one == other else [prefix]
    return [key for name in one.keys() | other.keys()
            for key in changed(one.get(name), other.get(name),
                               f'{prefix}.{name}'.lstrip('.'))]


@pytest.mark.parametrize('data', DATASETS)
@pytest.mark.parametrize('part', PARTS)
def test_a_leaf_takes_away_one_part(part, data):
    whole = load(f'resnet32-recipe_{data}').to_dict()
    without = load(f'resnet32-recipe-{part}_{data}').to_dict()
    keys = changed(whole, without)
    assert keys
    for key in keys:
        assert any(key.startswith(allowed) for allowed in PARTS[part]), key


def test_the_parts_that_are_gone():
    def augment(part):
        cfg = load(f'resnet32-recipe-{part}_cifar10lt')
        return [step.type.split('.')[-1]
                for step in cfg.model.data_preprocessor.augment]

    assert augment('noaug') == ['RandomCropFlip']
    assert augment('noautoaugment') == ['RandomCropFlip', 'RandomCutout']
    assert augment('nocutout') == ['RandomCropFlip', 'BatchAutoAugment']
    assert augment('noema') == [
        'RandomCropFlip', 'BatchAutoAugment', 'RandomCutout']
    hooks = load('resnet32-recipe-noema_cifar10lt').custom_hooks
    assert [hook.type for hook in hooks] == ['gssl_mm.LDAMHook']


@pytest.mark.parametrize('data', DATASETS)
def test_data_and_deployed_network_are_those_of_the_papers_rows(data):
    recipe, paper = load(f'resnet32-recipe_{data}'), load(f'resnet32_{data}')
    assert recipe.train_dataloader == paper.train_dataloader
    assert recipe.val_dataloader == paper.val_dataloader
    assert recipe.total_batch_size == paper.total_batch_size

    def shapes(cfg):
        model = MODELS.build(copy.deepcopy(cfg.model))
        return {name: tuple(value.shape)
                for part in (model.backbone, model.head.primary)
                for name, value in part.named_parameters()}

    assert shapes(recipe) == shapes(paper)
    count = sum(torch.Size(shape).numel()
                for shape in shapes(recipe).values())
    assert 0.46e6 <= count < 0.475e6


@pytest.mark.parametrize('part', [
    '', '-noaug', '-noautoaugment', '-nocutout', '-noadjust', '-noema',
    '-nopretext'])
def test_short_leaves_change_the_schedule_alone(part):
    stem = f'resnet32-recipe{part}_cifar10lt'
    full, short = load(stem), load(f'{stem}-40e')
    keys = set(changed(full.to_dict(), short.to_dict()))
    assert keys - {'custom_hooks'} == {
        'param_scheduler', 'train_cfg.max_epochs'}

    # Weights are averaged over the same part of the training
    def share(cfg):
        return [dict(hook, momentum=hook.momentum * cfg.train_cfg.max_epochs)
                if 'momentum' in hook else hook.to_dict()
                for hook in cfg.custom_hooks]

    assert ('EMAHook' in str(full.custom_hooks)) == (part != '-noema')
    assert share(short) == share(full)


def dataset(split, each, **kwargs):
    return dict(type='gssl_mm.SyntheticShapes', num_per_class=each,
                split=split, image_size=16,
                pipeline=[dict(type='PackInputs')], **kwargs)


def loader(data, batch):
    return dict(batch_size=batch, num_workers=0, dataset=data,
                sampler=dict(type='DefaultSampler', shuffle=True))


def plain_config(work_dir):
    """The host's classifier, head, loss, preprocessor and hooks."""
    return Config(dict(
        default_scope='mmpretrain', work_dir=str(work_dir), log_level='ERROR',
        experiment_name=work_dir.name, randomness=dict(seed=0),
        model=dict(
            type='ImageClassifier',
            backbone=dict(type='gssl_mm.CIFARResNet', depth=8),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(type='LinearClsHead', num_classes=10, in_channels=64,
                      loss=dict(type='CrossEntropyLoss')),
            data_preprocessor=dict(
                type='ClsDataPreprocessor', mean=[120.] * 3, std=[60.] * 3)),
        train_dataloader=loader(dict(
            type='gssl_mm.LongTailedDataset', imbalance_ratio=0.1,
            dataset=dataset('train', 10)), 10),
        val_dataloader=loader(dataset('test', 2), 20),
        val_evaluator=[dict(type='Accuracy')],
        train_cfg=dict(by_epoch=True, max_epochs=1), val_cfg=dict(),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.05, momentum=0.9)),
        custom_hooks=[]))


def ours(cfg, **kwargs):
    cfg.model.data_preprocessor.update(
        type='gssl_mm.PretextDataPreprocessor', **kwargs)


def adjusted_by_the_hook(cfg):
    cfg.model.head.loss = dict(type='gssl_mm.BalancedSoftmaxLoss')
    cfg.custom_hooks = [dict(type='gssl_mm.LDAMHook', drw_epoch=None)]


def adjusted_by_given_counts(cfg):
    cfg.model.head.loss = dict(
        type='gssl_mm.LogitAdjustedLoss', tau=0.5,
        class_counts=list(range(20, 0, -2)))


def adjusted_afterwards(cfg):
    cfg.val_evaluator = [dict(type='gssl_mm.LogitAdjustedAccuracy')]
    cfg.custom_hooks = [dict(type='gssl_mm.ClassCountsHook')]


def augmented_in_the_pipeline(cfg):
    cfg.train_dataloader.dataset.dataset.pipeline.insert(0, dict(
        type='gssl_mm.PillowAugment',
        augment=dict(type='gssl_mm.BatchAutoAugment')))


ALONE = {
    'loss': adjusted_by_the_hook,
    'loss with counts': adjusted_by_given_counts,
    'metric': adjusted_afterwards,
    'AutoAugment': lambda cfg: ours(cfg, augment=STRONG[1:2]),
    'RandAugment': lambda cfg: ours(
        cfg, augment=[dict(type='gssl_mm.BatchRandAugment')]),
    'Cutout': lambda cfg: ours(cfg, augment=STRONG[2:]),
    'pipeline': augmented_in_the_pipeline,
    'EMA': lambda cfg: cfg.update(custom_hooks=[
        dict(type='EMAHook', momentum=0.1, update_buffers=True)]),
}


def train(cfg, resume=False):
    cfg.resume = resume
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert all(v.isfinite().all() for v in runner.model.state_dict().values())
    return runner


@pytest.mark.parametrize('part', ALONE)
def test_a_part_works_without_the_rest(part, tmp_path):
    cfg = plain_config(tmp_path)
    ALONE[part](cfg)
    metrics = train(cfg).val_evaluator.metrics
    if part == 'metric':
        assert type(metrics[0]).__name__ == 'LogitAdjustedAccuracy'


def whole_config(work_dir):
    """All parts on a small net and small data."""
    cfg = plain_config(work_dir)
    cfg.model.head = dict(
        type='gssl_mm.GatedMultiTaskHead', in_channels=64, tasks=TASKS,
        primary=dict(type='gssl_mm.CosineClsHead', num_classes=10,
                     in_channels=64,
                     loss=dict(type='gssl_mm.BalancedSoftmaxLoss')),
        gate=dict(type='gssl_mm.SoftmaxGate'), task_head='cosine')
    ours(cfg, augment=STRONG, pretext=dict(tasks=TASKS))
    cfg.custom_hooks = [
        dict(type='gssl_mm.LDAMHook', drw_epoch=None),
        dict(type='gssl_mm.StepSeedHook'),
        dict(type='EMAHook', momentum=0.1, update_buffers=True)]
    cfg.default_hooks = dict(checkpoint=dict(type='gssl_mm.CheckpointHook'))
    cfg.train_cfg.max_epochs = 2
    return cfg


def test_the_whole_recipe_resumes_to_the_same_bits(tmp_path):
    whole = train(whole_config(tmp_path / 'whole'))
    part = whole_config(tmp_path / 'part')
    part.train_cfg.max_epochs = 1
    train(part)
    part.train_cfg.max_epochs = 2
    again = train(part, resume=True)
    assert again.iter == whole.iter
    wanted = whole.model.state_dict()
    for name, value in again.model.state_dict().items():
        assert torch.equal(value, wanted[name]), name
