"""A toy experiment that needs the host alone, and ways to start tools."""
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]

PARTS = '''
import numpy as np
import torch
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS, MODELS


@DATASETS.register_module()
class ToolData(BaseDataset):
    CLASSES = ('dark', 'light')

    def __init__(self, size=16, **kwargs):
        self.size = size
        super().__init__(ann_file='', metainfo=dict(classes=self.CLASSES),
                         **kwargs)

    def load_data_list(self):
        rng = np.random.default_rng(0)
        return [dict(img=rng.integers(0, 100, (8, 8, 3)).astype('uint8')
                     + np.uint8(100 * (i % 2)), gt_label=i % 2)
                for i in range(self.size)]


@MODELS.register_module()
class ToolNet(torch.nn.Module):

    def __init__(self, width=4, poison=False):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, width, 3)
        self.poison = poison

    def forward(self, x):
        return (self.conv(x).mean((2, 3)), )
'''

CONFIG = '''
custom_imports = dict(imports=['toy_parts'])
default_scope = 'mmpretrain'
total_batch_size = 8
auto_scale_lr = dict(base_batch_size=8)
model = dict(
    type='ImageClassifier',
    data_preprocessor=dict(num_classes=2, mean=[100.] * 3, std=[50.] * 3),
    backbone=dict(type='ToolNet', width=4),
    head=dict(type='LinearClsHead', num_classes=2, in_channels=4,
              loss=dict(type='CrossEntropyLoss', loss_weight=1.0)))
loader = dict(
    batch_size=4, num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='ToolData', pipeline=[dict(type='PackInputs')]))
train_dataloader = dict(loader, batch_size=8)
val_dataloader = test_dataloader = loader
val_evaluator = test_evaluator = dict(type='Accuracy', topk=1)
train_cfg = dict(by_epoch=True, max_epochs=1, val_interval=1)
val_cfg = test_cfg = dict()
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
param_scheduler = dict(type='ConstantLR', factor=1.0, by_epoch=True)
randomness = dict(seed=0)
default_hooks = dict(
    logger=dict(type='LoggerHook', interval=1),
    checkpoint=dict(type='CheckpointHook', interval=1),
    visualization=dict(type='VisualizationHook', enable=False))
visualizer = dict(type='UniversalVisualizer',
                  vis_backends=[dict(type='LocalVisBackend')])
'''


@pytest.fixture
def repo():
    """Root of the repository."""
    return REPO


@pytest.fixture(scope='session')
def toy(tmp_path_factory):
    """Path of a toy config; ``toy_parts`` lies beside it."""
    folder = tmp_path_factory.mktemp('toy')
    (folder / 'toy_parts.py').write_text(PARTS)
    (folder / 'toy.py').write_text(CONFIG)
    return folder / 'toy.py'


@pytest.fixture
def clean_env(toy):
    """Environment of a tool: one thread, no launcher, the toy importable."""
    dropped = ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'TAG', 'JOBS', 'DEVICES',
               'WORK_DIRS', 'RESULTS', 'GSSL_MM_TRACEBACK', 'PORT', 'GPUS')
    env = {k: v for k, v in os.environ.items() if k not in dropped}
    env.update(OMP_NUM_THREADS='1', MPLBACKEND='Agg', PYTHON=sys.executable,
               PYTHONPATH=os.pathsep.join((str(REPO), str(toy.parent))))
    return env


@pytest.fixture
def run_tool(clean_env, tmp_path):
    """Run a tool of the repository in a temporary folder.

    Returns the finished process; a mistake's message is one line.
    """

    def run(*command, **env):
        script = REPO / 'tools' / command[0]
        start = [sys.executable] if script.suffix == '.py' else ['bash']
        return subprocess.run(
            [*start, str(script), *map(str, command[1:])],
            cwd=tmp_path, env={**clean_env, **env}, text=True,
            capture_output=True, timeout=1800, check=False)

    return run


@pytest.fixture
def load(repo, monkeypatch):
    """Import a module of tools/benchmarks for one test."""
    folder = repo / 'tools' / 'benchmarks'
    monkeypatch.syspath_prepend(str(folder))
    yield importlib.import_module
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, '__file__', None) or '').parent == folder:
            del sys.modules[name]
