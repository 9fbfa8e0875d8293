"""The train and test tools as a user starts them."""
import json
import re

import pytest
import torch
from mmengine.config import Config

from gssl_mm.tooling import errors, launch, loaders, train


@pytest.fixture
def checkpoint(tmp_path):
    """Weights of the toy."""
    shapes = {'backbone.conv.weight': (4, 3, 3, 3), 'backbone.conv.bias': (4, ),
              'head.fc.weight': (2, 4), 'head.fc.bias': (2, )}
    torch.save(dict(meta={}, state_dict={
        name: torch.zeros(shape) for name, shape in shapes.items()}),
        tmp_path / 'toy.pth')
    return tmp_path / 'toy.pth'


def refused(result, *words):
    assert result.returncode == 2, result.stderr
    assert 'Traceback' not in result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


def test_train_resume_and_test(toy, run_tool, tmp_path):
    trained = tmp_path / 'run'
    done = run_tool(
        'train.py', toy, '--work-dir', trained, '--cfg-options',
        'optim_wrapper.accumulative_counts=2', 'train_cfg.max_epochs=2')
    assert done.returncode == 0, done.stderr
    assert re.search(r'total batch 8 = 4 a process x 1 .* x 2 ', done.stdout)
    assert 'pin_memory' not in done.stderr
    assert (trained / 'epoch_2.pth').is_file()

    again = run_tool('train.py', toy, '--work-dir', trained, '--resume',
                     '--cfg-options', 'train_cfg.max_epochs=3')
    assert again.returncode == 0, again.stderr
    assert 'epoch_2.pth' in again.stdout
    assert 'Epoch(train) [3]' in again.stdout
    assert 'Epoch(train) [1]' not in again.stdout

    out = trained / 'new' / 'metrics.json'
    tested = run_tool(
        'test.py', toy, trained / 'epoch_3.pth', '--work-dir', trained / 't',
        '--tta', '--out', out, '--out-item', 'metrics')
    assert tested.returncode == 0, tested.stderr
    assert 0 <= json.loads(out.read_text())['accuracy/top1'] <= 100


def test_predictions_and_pictures(toy, checkpoint, run_tool, tmp_path):
    done = run_tool(
        'test.py', toy, checkpoint, '--work-dir', tmp_path / 'w', '--out',
        tmp_path / 'pred.pkl', '--show-dir', tmp_path / 'show',
        '--interval', '8')
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'pred.pkl').stat().st_size > 0
    assert len(list((tmp_path / 'show').glob('*.png'))) == 2


def test_train_refuses_with_one_line(toy, run_tool):
    refused(run_tool('train.py', toy, '--cfg-options',
                     'model.head.loss.loss_wieght=2'),
            'UnknownConfigKeyError', "'loss_weight'")


def call(tool, *argv):
    """Exit code of a tool's main function in this process."""
    return errors.run_tool(lambda: tool.main([str(a) for a in argv]))


@pytest.mark.parametrize('options, words', [
    (['--cfg-options', 'modle.head.loss=2'], ["'modle'", "'model'"]),
    (['--cfg-options', 'model.head.type=LinearClsHed'], ['LinearClsHead']),
    (['--cfg-options', 'total_batch_size=0'], ['BatchSizeError']),
    (['--resume', 'nowhere.pth'], ['CheckpointFileError', 'nowhere.pth']),
    (['--launcher', 'pytorch'], ['WORLD_SIZE', 'torchrun']),
    (['--amp', '--cfg-options', 'optim_wrapper.type=Other'], ['Other']),
    (['--work-dir', '/dev/full'], ['WorkDirError', '/dev/full']),
    (['--cfg-options', 'train_dataloader.num_workers=-1'],
     ['ValueError', 'num_workers']),
    (['--cfg-options', 'optim_wrapper.optimizer.lr=-1'],
     ['ValueError', 'learning rate']),
    (['--cfg-options', 'param_scheduler.factor=-1.0',
      'param_scheduler.convert_to_iter_based=True'],
     ['ValueError', 'factor']),
    (['--cfg-options', 'optim_wrapper.optimizer.type=LBFGS',
      'optim_wrapper.optimizer.nesterov=True'], ['nesterov']),
])
def test_train_refuses_in_process(toy, tmp_path, monkeypatch, capsys, options,
                                  words):
    monkeypatch.syspath_prepend(str(toy.parent))
    monkeypatch.delenv('WORLD_SIZE', raising=False)
    monkeypatch.delenv('GSSL_MM_TRACEBACK', raising=False)
    code = call(train, toy, '--work-dir', tmp_path, *options)
    message = capsys.readouterr().err
    assert code == 2, message
    for word in words:
        assert word in message


def test_a_defect_of_a_constructor_keeps_its_traceback(toy, tmp_path,
                                                        monkeypatch):
    monkeypatch.syspath_prepend(str(toy.parent))
    with pytest.raises(TypeError, match='string formatting'):
        call(train, toy, '--work-dir', tmp_path, '--cfg-options',
             'model.backbone.width=abc')


@pytest.mark.parametrize('name, words', [
    ('nowhere/resnet32.py', ['ConfigFileError', 'nowhere/resnet32.py']),
    ('gssl_mm::gssl/nothing.py', ['gssl_mm::gssl/nothing.py']),
    ('.', ['folder']),
])
def test_a_missing_config(capsys, monkeypatch, name, words):
    monkeypatch.delenv('GSSL_MM_TRACEBACK', raising=False)
    assert call(train, name) == 2
    message = capsys.readouterr().err
    assert all(word in message for word in words), message


def test_a_broken_config(tmp_path, capsys):
    (tmp_path / 'broken.py').write_text('model = dict(\n')
    (tmp_path / 'base.py').write_text("_base_ = './gone.py'\n")
    for name in ('broken.py', 'base.py'):
        assert call(train, tmp_path / name) == 2
        assert 'ConfigFileError' in capsys.readouterr().err


def test_options_without_a_value_are_a_usage_error(toy, capsys):
    with pytest.raises(SystemExit) as stop:
        train.main([str(toy), '--cfg-options', 'work_dir'])
    assert stop.value.code == 2
    assert "key=value, got 'work_dir'" in capsys.readouterr().err


@pytest.mark.parametrize('options, words', [
    (['gone.pth'], ['CheckpointFileError', 'gone.pth']),
    (['toy.py', '--out-item', 'pred'], ['--out']),
    (['toy.py', '--out', 'x.txt'], ['.pkl']),
    (['toy.py', '--tta', '--show-dir', 'x'], ['--tta']),
])
def test_test_refuses(toy, monkeypatch, capsys, options, words):
    from gssl_mm.tooling import test as test_tool
    monkeypatch.chdir(toy.parent)
    assert call(test_tool, toy, *options) == 2
    message = capsys.readouterr().err
    assert all(word in message for word in words), message


def test_nothing_to_resume_keeps_the_weights_to_start_from(tmp_path):
    cfg = Config(dict(work_dir=str(tmp_path), load_from='pretrained.pth'))
    line = train.set_resume(cfg, 'auto')
    assert cfg.load_from == 'pretrained.pth' and cfg.resume is False
    assert 'Nothing to resume' in line


def test_loader_defaults_follow_the_machine(monkeypatch):
    cfg = Config(dict(train_dataloader=dict(num_workers=2),
                      val_dataloader=dict(num_workers=0), test_dataloader=None))
    loaders.set_loader_defaults(cfg)
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    loaders.drop_impossible(cfg)
    assert cfg.train_dataloader.pin_memory is True
    assert cfg.train_dataloader.persistent_workers is True
    assert cfg.val_dataloader.persistent_workers is False
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    loaders.drop_impossible(cfg, no_persistent_workers=True)
    assert cfg.train_dataloader.pin_memory is False
    assert cfg.train_dataloader.persistent_workers is False


@pytest.mark.parametrize('launcher, env', [
    ('slurm', dict(SLURM_PROCID='3', SLURM_NTASKS='4', SLURM_LOCALID='1')),
    ('mpi', dict(OMPI_COMM_WORLD_RANK='3', OMPI_COMM_WORLD_SIZE='4',
                 OMPI_COMM_WORLD_LOCAL_RANK='1')),
])
def test_launchers_are_translated(monkeypatch, launcher, env):
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_PORT'):
        monkeypatch.setenv(name, 'old')
    monkeypatch.setenv('MASTER_ADDR', 'node7')
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    launch._export(launcher)
    import os
    assert (os.environ['RANK'], os.environ['WORLD_SIZE'],
            os.environ['LOCAL_RANK']) == ('3', '4', '1')
    assert launch.count_processes(launcher) == 4


def test_a_defect_keeps_its_traceback():
    def defect():
        return {}['x']

    with pytest.raises(KeyError):
        errors.run_tool(defect)


def test_a_failed_run_leaves_with_one(capsys):
    from gssl_mm.engine.errors import NonFiniteLossError

    def failing():
        error = NonFiniteLossError('loss is nan')
        raise OSError(28, 'No space left on device') from error

    assert errors.run_tool(failing) == 1
    assert 'No space left' in capsys.readouterr().err


def test_a_checkpoint_of_another_architecture(toy, checkpoint, run_tool,
                                              tmp_path):
    other = run_tool('test.py', toy, checkpoint, '--work-dir', tmp_path / 'w',
                     '--cfg-options', 'model.backbone.width=6',
                     'model.head.in_channels=6')
    refused(other, 'ArchitectureMismatchError', 'toy.pth')


@pytest.mark.parametrize('default, custom, added', [
    ({}, [], True), (None, None, True),
    (dict(check=dict(type=train.CHECK_HOOK)), [], False),
    ({}, [dict(type=train.CHECK_HOOK)], False)])
def test_the_checkpoint_check_is_added_once(default, custom, added):
    cfg = Config(dict(default_hooks=default, custom_hooks=custom))
    train._check_checkpoints(cfg)
    found = [h for h in cfg.custom_hooks or [] if h.type == train.CHECK_HOOK]
    assert len(found) == added + len(custom or [])
