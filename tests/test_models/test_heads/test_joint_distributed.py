"""Two processes with the same total batch train what one process trains."""
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name('run_joint_steps.py')


@pytest.fixture(scope='module')
def results(one_and_two):
    return one_and_two(SCRIPT)


@pytest.mark.slow
@pytest.mark.parametrize('name', ['masks', 'masks-ldam', 'rotations-ldam'])
def test_two_processes_equal_one(results, name, assert_equal_training):
    assert_equal_training(*(r[name] for r in results))
