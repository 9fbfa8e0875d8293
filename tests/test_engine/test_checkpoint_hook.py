"""When, in which order and how safely checkpoints are saved."""
import os
from pathlib import Path

import pytest
from mmengine.fileio import LocalBackend
from mmengine.hooks import Hook
from mmengine.runner import Runner

from gssl_mm.atomic_io import FileWriteError, temporary_name
from gssl_mm.engine import CheckpointError, safe_load, verify_checkpoint

ITER = 'toy_iter_config.py'


@pytest.fixture
def events(monkeypatch):
    """Saves, announcements and deletions in order."""
    happened = []
    replace, remove = os.replace, LocalBackend.remove

    def spy_replace(source, target):
        replace(source, target)
        target = Path(target)
        name = target.name
        if name == 'last_checkpoint':
            name = f'last={Path(target.read_text()).name}'
        happened.append(name)

    def spy_remove(self, path):
        remove(self, path)
        happened.append(f'-{Path(path).name}')

    monkeypatch.setattr('gssl_mm.atomic_io.os.replace', spy_replace)
    monkeypatch.setattr(LocalBackend, 'remove', spy_remove)
    return happened


class Scores(Hook):
    """Replace the validation's score by a given one."""

    priority = 'HIGHEST'

    def __init__(self, *scores):
        self.scores = iter(scores)

    def after_val_epoch(self, runner, metrics=None):
        metrics['accuracy/top1'] = next(self.scores)


def train(toy_runner, *scores, name='toy_config.py', **options):
    runner = toy_runner(name, custom_hooks=[], **options)
    runner.register_hook(Scores(*scores))
    runner.train()
    return runner


def best(epoch, unit='epoch'):
    return f'best_accuracy_top1_{unit}_{epoch}.pth'


def test_one_save_an_epoch_and_deletions_last(toy_runner, events):
    train(toy_runner, 10., 30., 20., 40.)
    assert events == [
        best(1), 'epoch_1.pth', 'last=epoch_1.pth',
        best(2), 'epoch_2.pth', 'last=epoch_2.pth', f'-{best(1)}',
        'epoch_3.pth', 'last=epoch_3.pth', '-epoch_1.pth',
        best(4), 'epoch_4.pth', 'last=epoch_4.pth',
        f'-{best(2)}', '-epoch_2.pth']


def test_saved_checkpoint_knows_its_own_scores(toy_runner, tmp_path):
    train(toy_runner, 10., 30., 20., 40.,
          **{'default_hooks.checkpoint.max_keep_ckpts': -1})
    folder = tmp_path / 'work'
    for epoch, score, name in ((1, 10., best(1)), (2, 30., best(2)),
                               (3, 30., best(2)), (4, 40., best(4))):
        saved = safe_load(folder / f'epoch_{epoch}.pth')
        info = saved['message_hub']['runtime_info']
        assert info['best_score'] == score
        assert info['best_ckpt'] == str(folder / name)
        assert saved['meta']['epoch'] == epoch
        assert saved['meta']['iter'] == 5 * epoch
        logs = saved['message_hub']['log_scalars']
        assert len(logs['val/accuracy/top1'].data[0]) == epoch
        assert len(logs['train/loss'].data[0]) == 5 * epoch
    with pytest.raises(CheckpointError, match="lacks \\['optimizer'\\]"):
        verify_checkpoint(folder / best(4))


def test_epochs_without_validation(toy_runner, events):
    train(toy_runner, 10., 5.,
          **{'train_cfg.val_interval': 3, 'train_cfg.val_begin': 2,
             'default_hooks.checkpoint.max_keep_ckpts': -1})
    assert events == [
        'epoch_1.pth', 'last=epoch_1.pth', 'epoch_2.pth', 'last=epoch_2.pth',
        best(3), 'epoch_3.pth', 'last=epoch_3.pth',
        'epoch_4.pth', 'last=epoch_4.pth']


def test_dynamic_intervals(toy_runner, events):
    train(toy_runner, 1., 2., 3., **{
        'train_cfg.val_interval': 2,
        'train_cfg.dynamic_intervals': [(4, 3)],
        'default_hooks.checkpoint.max_keep_ckpts': -1})
    # The interval that begins with epoch 4 decides on the one after epoch 3.
    assert [e for e in events if e[0] not in '-l'] == [
        'epoch_1.pth', best(2), 'epoch_2.pth', best(3), 'epoch_3.pth',
        best(4), 'epoch_4.pth']


def test_rare_saves_keep_the_best_that_they_name(toy_runner, events):
    train(toy_runner, 10., 30., 40., 20.,
          **{'default_hooks.checkpoint.interval': 3})
    assert events == [
        best(1), best(2),
        best(3), 'epoch_3.pth', 'last=epoch_3.pth',
        f'-{best(1)}', f'-{best(2)}',
        'epoch_4.pth', 'last=epoch_4.pth']


def test_no_validation_at_all(toy_runner, events):
    train(toy_runner, val_cfg=None, val_dataloader=None, val_evaluator=None)
    assert [e for e in events if e.startswith('epoch')] == [
        f'epoch_{n}.pth' for n in (1, 2, 3, 4)]


def test_iterations(toy_runner, events, tmp_path):
    train(toy_runner, 10., 30., 20., 40., name=ITER)
    unit = 'iter'
    assert [e for e in events if not e.startswith('last')] == [
        'iter_3.pth', best(6, unit), 'iter_6.pth', 'iter_9.pth', '-iter_3.pth',
        best(12, unit), 'iter_12.pth', f'-{best(6, unit)}', '-iter_6.pth',
        'iter_15.pth', '-iter_9.pth', 'iter_18.pth', '-iter_12.pth',
        best(20, unit), 'iter_20.pth', f'-{best(12, unit)}', '-iter_15.pth']
    saved = safe_load(tmp_path / 'work' / 'iter_18.pth')
    assert saved['meta']['iter'] == 18 and saved['meta']['epoch'] == 0
    assert len(saved['message_hub']['log_scalars']['train/loss'].data[0]) == 18


def test_several_best_metrics(toy_runner, events, tmp_path):
    runner = toy_runner(custom_hooks=[], **{
        'default_hooks.checkpoint.save_best': ['accuracy/top1', 'val_loss'],
        'default_hooks.checkpoint.rule': ['greater', 'less'],
        'train_cfg.max_epochs': 2})

    class Two(Hook):
        priority = 'HIGHEST'

        def after_val_epoch(self, runner, metrics=None):
            metrics.update({'accuracy/top1': 1., 'val_loss': -runner.epoch})

    runner.register_hook(Two())
    runner.train()
    names = sorted(p.name for p in (tmp_path / 'work').glob('best*'))
    assert names == [best(1), 'best_val_loss_epoch_2.pth']
    info = runner.message_hub.runtime_info
    assert info['best_score_accuracy/top1'] == 1.
    assert info['best_score_val_loss'] == -2


def test_unknown_metric_is_named(toy_runner):
    with pytest.raises(KeyError, match="no such metric.*'accuracy/top1'"):
        train(toy_runner, 1., **{
            'default_hooks.checkpoint.save_best': 'acc/top7'})


def test_validation_alone_saves_nothing(toy_runner, events):
    runner = toy_runner(custom_hooks=[])
    runner.val()
    assert events == []


@pytest.mark.parametrize('name', ['epoch_3.pth', best(3), 'last_checkpoint'])
def test_full_device_leaves_the_previous_checkpoint(
        toy_runner, tmp_path, name):
    folder = tmp_path / 'work'
    runner = toy_runner(custom_hooks=[])

    class Fill(Hook):

        def after_train_epoch(self, runner):
            if runner.epoch == 2:
                temporary_name(folder / name).symlink_to('/dev/full')

    runner.register_hook(Fill())
    runner.register_hook(Scores(1., 2., 3.))
    with pytest.raises(FileWriteError) as error:
        runner.train()
    assert str(folder / name) in str(error.value)
    assert 'No space left on device' in str(error.value)
    last = Path((folder / 'last_checkpoint').read_text())
    assert last == folder / 'epoch_2.pth'
    verify_checkpoint(last)
    saved = safe_load(last)['message_hub']['runtime_info']
    assert Path(saved['best_ckpt']).is_file()
    assert not list(folder.glob('.*'))


def test_resume_finishes_deletions_and_removes_leftovers(
        toy_runner, toy_config, tmp_path):
    folder = tmp_path / 'work'
    runner = train(toy_runner, 10., 30., **{'train_cfg.max_epochs': 2})
    # As if killed between the save of epoch 2 and its deletions.
    outdated = folder / best(1)
    outdated.write_bytes(b'old')
    half = temporary_name(folder / 'epoch_3.pth')
    half.write_bytes(b'half')
    other = folder / 'best_other.pth'
    other.write_bytes(b'kept')
    cfg = toy_config(custom_hooks=[], resume=True,
                     load_from=str(folder / 'epoch_2.pth'))
    cfg.experiment_name = 'resumed'
    runner = Runner.from_cfg(cfg)
    runner.register_hook(Scores(1., 1.))
    runner.train()
    assert not outdated.exists() and not half.exists() and other.exists()
    assert runner.message_hub.get_info('best_score') == 30.
    assert (folder / best(2)).exists()


def test_a_copied_work_dir_does_not_reach_into_its_origin(
        toy_runner, toy_config, tmp_path):
    import shutil
    train(toy_runner, 10., 30., **{'train_cfg.max_epochs': 2})
    origin, copy = tmp_path / 'work', tmp_path / 'copy'
    shutil.copytree(origin, copy)
    before = sorted(p.name for p in origin.iterdir())
    cfg = toy_config(custom_hooks=[], resume=True, work_dir='copy',
                     load_from=str(copy / 'epoch_2.pth'))
    cfg.experiment_name = 'copied'
    runner = Runner.from_cfg(cfg)
    runner.register_hook(Scores(50., 60.))
    runner.train()
    assert sorted(p.name for p in origin.iterdir()) == before
    names = {p.name for p in copy.glob('*.pth')}
    assert names == {'epoch_3.pth', 'epoch_4.pth', best(4)}
