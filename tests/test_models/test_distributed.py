"""Two processes with the same total batch train what one process trains."""
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name('run_steps.py')


@pytest.fixture(scope='module')
def results(one_and_two):
    return one_and_two(SCRIPT)


MODES = ['sum', 'mean'] + [
    f'{grad}-{reduce}' for grad in ('learned', 'detached')
    for reduce in ('prob_mean', 'logit_mean', 'per_sample')] + [
    'balanced-prob_mean', 'balanced-logit_mean', 'balanced-per_sample',
    'uncertainty', 'aligned', 'aligned-per_sample']


@pytest.mark.parametrize('mode', MODES)
def test_two_processes_equal_one(results, mode, assert_equal_training):
    assert_equal_training(*(r[mode] for r in results))
