"""Fixtures that every test may use."""
import os
import sys
from pathlib import Path

# Modules that tests of several folders share
sys.path.insert(0, str(Path(__file__).parent / 'helpers'))
# Two torch processes with two threads each on two cores crawl
os.environ.setdefault('OMP_NUM_THREADS', '1')
os.environ.setdefault('MPLBACKEND', 'Agg')

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.registry import DefaultScope

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def default_scope():
    """Build host types without a prefix, as in a config."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


@pytest.fixture(autouse=True)
def no_runner_left():
    """Forget the iteration of a runner that an earlier test ran."""
    MessageHub.get_current_instance().runtime_info.pop('iter', None)


@pytest.fixture
def generator():
    """A seeded CPU generator."""
    return torch.Generator().manual_seed(0)


@pytest.fixture(autouse=True)
def seeded():
    """Make every test repeatable."""
    torch.manual_seed(0)
