"""Runs of a toy task inside the test process."""
import importlib.util
import sys
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.runner import Runner

FOLDER = Path(__file__).parent


def _load(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='session')
def toy():
    import gssl_mm.engine  # noqa: F401
    return _load('toy')


@pytest.fixture
def toy_config(toy, tmp_path):

    def read(name='toy_config.py', work_dir='work', **options):
        cfg = Config.fromfile(FOLDER / name)
        cfg.work_dir = str(tmp_path / work_dir)
        cfg.merge_from_dict(options)
        return cfg

    return read


@pytest.fixture
def toy_runner(toy_config, request):
    count = 0

    def build(name='toy_config.py', **options):
        nonlocal count
        count += 1
        cfg = toy_config(name, **options)
        cfg.experiment_name = f'{request.node.name}-{count}'
        return Runner.from_cfg(cfg)

    yield build
    MessageHub._instance_dict.clear()
