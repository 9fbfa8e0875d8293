"""Two processes with the same total batch learn what one process learns."""
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = str(Path(__file__).with_name('run_semi_steps.py'))
KINDS = ('fixmatch', 'inplace_all', 'separate', 'pi', 'pseudo', 'teacher',
         'mixmatch')


@pytest.fixture(scope='module')
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp('steps')
    env = dict(os.environ, OMP_NUM_THREADS='1')
    one, two = str(folder / 'one.pt'), str(folder / 'two.pt')
    for command in (
        [sys.executable, SCRIPT, one],
        [sys.executable, '-m', 'torch.distributed.run', '--standalone',
         '--nproc_per_node=2', SCRIPT, two, 'distributed']):
        done = subprocess.run(command, env=env, capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, done.stderr[-2000:]
    return torch.load(one), torch.load(two)


@pytest.mark.slow
@pytest.mark.parametrize('kind', KINDS)
def test_two_processes_equal_one(results, kind):
    one, two = (r[kind] for r in results)
    assert one['totals'][0] != one['totals'][-1]
    for a, b in zip(one['totals'], two['totals'], strict=True):
        assert abs(a - b) < 1e-4 * max(1, abs(a))
    for key, value in one['weights'].items():
        assert torch.allclose(value, two['weights'][key], atol=1e-4), key
