"""A tiny model on built-in images, and the work dir of its run."""
import json
from pathlib import Path

import pytest
import torch

CONFIG = '''
default_scope = 'mmpretrain'
tasks = [dict(type='gssl_mm.LocalRotation'), dict(type='gssl_mm.LocalFlip')]
model = dict(
    type='ImageClassifier',
    backbone=dict(type='gssl_mm.CIFARResNet', depth=8),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='gssl_mm.GatedMultiTaskHead', in_channels=64, tasks=tasks,
        primary=dict(type='LinearClsHead', num_classes=10, in_channels=64),
        gate=dict(type='gssl_mm.SoftmaxGate'), loss_weight=0.1),
    data_preprocessor=dict(
        type='gssl_mm.PretextDataPreprocessor', mean=[125., 120., 110.],
        std=[60., 60., 60.], to_rgb=False, pretext=dict(tasks=tasks)))
train_dataloader = dict(batch_size=4, dataset=dict(
    type='gssl_mm.LongTailedDataset', imbalance_ratio=0.25,
    dataset=dict(type='gssl_mm.SyntheticShapes', num_per_class=8,
                 pipeline=[dict(type='PackInputs')])))
test_dataloader = dict(batch_size=4, dataset=dict(
    type='gssl_mm.SyntheticShapes', split='test', num_per_class=3,
    pipeline=[dict(type='PackInputs')]))
train_cfg = dict(by_epoch=True, max_epochs=3)
optim_wrapper = dict(optimizer=dict(type='SGD', lr={lr}))
randomness = dict(seed=0)
total_batch_size = 4
'''


def rows(epochs, length=4, gated=True):
    """What a run logs: two lines an epoch, and one of its test."""
    for epoch in range(1, epochs + 1):
        for inner in (2, 4):
            step = (epoch - 1) * length + inner
            row = dict(lr=.1 / epoch, loss=3. / step, loss_cls=2. / step,
                       time=.1, epoch=epoch, iter=step, step=step)
            if gated:
                row.update(gate_lorot=.5 + .01 * step, acc_lorot=10. + step,
                           gate_flip=.5 - .01 * step, acc_flip=50. + step)
            yield row
        yield {'accuracy/top1': 20. + epoch, 'shot/many': 30. + epoch,
               'shot/few': float('nan'), 'time': .2, 'step': epoch}


def write_log(folder, found, end='\n', start='20260101_000000'):
    path = Path(folder) / start / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text('\n'.join(json.dumps(row) for row in found) + end)
    return path


def write_run(folder, lr=.1, finished=True, epochs=3):
    """A work dir as a run leaves it, checkpoint included."""
    from mmengine.config import Config

    from gssl_mm.registry import MODELS
    log = write_log(folder, rows(epochs))
    text = CONFIG.replace('{lr}', str(lr))
    (log.parent / 'config.py').write_text(text)
    torch.manual_seed(int(lr * 10))
    model = MODELS.build(Config.fromstring(text, '.py').model)
    checkpoint = Path(folder) / f'epoch_{epochs}.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), checkpoint)
    (folder / 'last_checkpoint').write_text(str(checkpoint))
    names = [f'c{i}' for i in range(10)]
    (folder / 'per_class_accuracy.csv').write_text(
        'class,name,train_count,test_count,correct,accuracy\n' + ''.join(
            f'{i},{n},{80 - 7 * i},3,1,{5 * i:.4f}\n'
            for i, n in enumerate(names)))
    if finished:
        (folder / 'result.json').write_text(json.dumps(dict(
            config='toy', seed=0, finished=True, wall_time_s=61.,
            versions=dict(torch='9.9'), hardware=dict(cpu='a <cpu>'),
            dataset=dict(type='SyntheticShapes', num_train=80),
            train_last=dict(acc_lorot=12.5))))
    return folder


@pytest.fixture(scope='session')
def run_dir(tmp_path_factory):
    """A finished run."""
    return write_run(tmp_path_factory.mktemp('first'))


@pytest.fixture(scope='session')
def other_dir(tmp_path_factory):
    """A run that goes on: no results yet, the log's last line cut off."""
    folder = write_run(tmp_path_factory.mktemp('second'), .2, False, 2)
    with open(next(folder.glob('*/vis_data/scalars.json')), 'a') as file:
        file.write('{"lr": 0.0')
    return folder


@pytest.fixture
def writers():
    """Functions that write logs and runs."""
    return dict(log=write_log, run=write_run, rows=rows)


@pytest.fixture
def trained(run_dir):
    """The model of the finished run."""
    from gssl_mm.visualization import load_trained
    return load_trained(f'toy={run_dir}')
