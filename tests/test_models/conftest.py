"""Start a script as one process and under torchrun, and compare."""
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent


@pytest.fixture(scope='session')
def one_and_two(tmp_path_factory):
    """Results of a script by one process and by two with the same batch."""
    def run(script):
        folder = tmp_path_factory.mktemp('steps')
        paths = os.pathsep.join(
            [str(HERE), *filter(None, [os.environ.get('PYTHONPATH')])])
        env = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=paths)
        one, two = str(folder / 'one.pt'), str(folder / 'two.pt')
        torchrun = [sys.executable, '-m', 'torch.distributed.run',
                    '--standalone', '--nproc_per_node=2']
        for command in ([sys.executable, str(script), one],
                        [*torchrun, str(script), two, 'distributed']):
            done = subprocess.run(command, env=env, capture_output=True,
                                  text=True, check=False)
            assert done.returncode == 0, done.stderr[-8000:]
        return torch.load(one), torch.load(two)

    return run


@pytest.fixture
def assert_equal_training():
    """Compare losses, gradients and weights of both."""
    def check(one, two):
        assert one['totals'][0] != one['totals'][-1]
        for a, b in zip(one['totals'], two['totals'], strict=True):
            assert abs(a - b) < 1e-5 * max(1, abs(a))
        assert one['grads'].keys() == two['grads'].keys()
        for key, value in one['grads'].items():
            error = (value - two['grads'][key]).abs().max()
            assert error <= 1e-5 * value.abs().max(), key
        for key, value in one['weights'].items():
            assert torch.allclose(value, two['weights'][key], atol=1e-5), key

    return check
