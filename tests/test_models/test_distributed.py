"""Two processes with the same total batch train what one process trains."""
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = str(Path(__file__).with_name('run_steps.py'))


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


MODES = ['sum', 'mean'] + [
    f'{grad}-{reduce}' for grad in ('learned', 'detached')
    for reduce in ('prob_mean', 'logit_mean', 'per_sample')] + [
    'balanced-prob_mean', 'balanced-logit_mean', 'balanced-per_sample',
    'uncertainty', 'aligned', 'aligned-per_sample']


@pytest.mark.parametrize('mode', MODES)
def test_two_processes_equal_one(results, mode):
    one, two = (r[mode] for r in results)
    assert one['totals'][0] != one['totals'][-1]
    for a, b in zip(one['totals'], two['totals'], strict=True):
        assert abs(a - b) < 1e-5 * max(1, abs(a))
    assert one['grads'].keys() == two['grads'].keys()
    for key, value in one['grads'].items():
        error = (value - two['grads'][key]).abs().max()
        assert error <= 1e-5 * value.abs().max(), key
    for key, value in one['weights'].items():
        assert torch.allclose(value, two['weights'][key], atol=1e-5), key
