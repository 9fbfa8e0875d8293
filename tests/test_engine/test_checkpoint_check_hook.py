"""Checkpoints of another architecture."""
import pytest
import torch
from mmengine.runner import Runner

from gssl_mm.engine import ArchitectureMismatchError, CheckpointError

HOOKS = [dict(type='gssl_mm.CheckpointCheckHook')]


@pytest.fixture
def trained(toy_runner, tmp_path):
    runner = toy_runner(custom_hooks=[], **{'train_cfg.max_epochs': 1})
    runner.train()
    return tmp_path / 'work' / 'epoch_1.pth'


@pytest.fixture
def start(toy_config, trained):
    """Build a runner that loads or resumes a checkpoint."""
    count = 0

    def build(path=trained, change=None, **options):
        nonlocal count
        count += 1
        if change is not None:
            content = torch.load(path, weights_only=False)
            change(content)
            path = path.with_name(f'changed{count}.pth')
            torch.save(content, path)
        cfg = toy_config(custom_hooks=HOOKS, load_from=str(path), **options)
        cfg.test_dataloader, cfg.test_cfg = cfg.val_dataloader, dict()
        cfg.test_evaluator = cfg.val_evaluator
        cfg.experiment_name = f'start{count}'
        return Runner.from_cfg(cfg)

    return build


WIDER = {'model.backbone.width': 9}


def test_own_checkpoint_passes(start):
    assert 'accuracy/top1' in start().test()
    start(resume=True, **{'train_cfg.max_epochs': 1}).train()


def test_other_shapes(start, trained):
    for act in (lambda: start(**WIDER).test(), lambda: start(**WIDER).val(),
                lambda: start(resume=True, **WIDER).train()):
        with pytest.raises(ArchitectureMismatchError) as error:
            act()
        text = str(error.value)
        assert str(trained) in text
        assert 'backbone.conv1.weight (6, 3, 3, 3) (model: (9, 3, 3, 3))' in (
            text)
        assert 'and ' in text and 'more' in text


def test_missing_weights(start):

    def drop(content):
        content['state_dict'].pop('head.fc.bias')

    with pytest.raises(ArchitectureMismatchError, match='it lacks head.fc.b'):
        start(change=drop).test()


def test_deeper_checkpoint_is_refused(start):
    """Its weights hold all of the model's; the host says nothing but warns."""

    def deepen(content):
        content['state_dict']['backbone.conv9.weight'] = torch.zeros(1)

    with pytest.raises(ArchitectureMismatchError,
                       match='the unknown backbone.conv9.weight'):
        start(change=deepen).test()


def test_pretext_heads_may_be_left_over_for_testing(start):

    def add(content):
        content['state_dict']['head.task_heads.lorot.weight'] = torch.zeros(1)
        content['state_dict']['head.gate.fc.weight'] = torch.zeros(1)

    start(change=add).test()
    with pytest.raises(ArchitectureMismatchError, match='head.task_heads'):
        start(change=add, resume=True).train()


def test_parallel_prefix_is_ignored(start):

    def prefix(content):
        content['state_dict'] = {
            f'module.{k}': v for k, v in content['state_dict'].items()}

    start(change=prefix).test()


def test_bare_weights(start):

    def strip(content):
        weights = content.pop('state_dict')
        content.clear()
        content.update(weights)

    start(change=strip).test()
    with pytest.raises(CheckpointError, match='can not be resumed from'):
        start(change=strip, resume=True).train()


def test_fine_tuning_takes_what_fits(start):
    options = {'train_cfg.max_epochs': 1}
    start(**WIDER, **options).train()

    def rename(content):
        content['state_dict'] = {
            f'x.{k}': v for k, v in content['state_dict'].items()}

    with pytest.raises(ArchitectureMismatchError, match='No weight of'):
        start(change=rename, **options).train()
