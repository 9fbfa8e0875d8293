"""The benchmark of RandAugment at a tiny size: that it runs and compares."""
import json

import numpy as np
import pytest


@pytest.fixture
def bench(load):
    return load('rand_augment')


def test_quick_run(bench, tmp_path):
    out = tmp_path / 'numbers.json'
    assert bench.main(['--quick', '--out', str(out)]) == 0
    found = json.loads(out.read_text())
    assert [row['variant'] for row in found['rows']] == [
        'host', 'pillow', 'batch', 'batch, float images']
    (promise, ) = found['promises']
    assert (promise['limit'], promise['relation']) == (3.0, '>=')


def test_two_sides_that_differ_are_not_timed(bench):
    images = np.zeros((2, 32, 32, 3), np.uint8)
    wrong = np.full((2, 32, 32, 3), 1, np.uint8)
    with pytest.raises(ArithmeticError, match='differ'):
        bench.require_equal(
            images, bench.BatchRandAugment('fm', cutout=False),
            lambda: list(wrong), 'cpu')
