import subprocess
import sys

import numpy as np
import pytest

from gssl_mm.seeding import stable_seed


def test_range_and_repeat():
    seeds = {stable_seed(0, i, 'crop') for i in range(2000)}
    assert len(seeds) == 2000
    assert all(0 <= s < 2**63 for s in seeds)
    # Every bit is used about half of the time.
    bits = np.array([[s >> b & 1 for b in range(63)] for s in seeds])
    assert np.all(np.abs(bits.mean(0) - 0.5) < 0.06)


def test_known_value_in_another_process():
    code = ('from gssl_mm.seeding import stable_seed;'
            'import sys; sys.stdout.write(str(stable_seed(3, 7, "flip")))')
    out = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True,
        env={'PYTHONHASHSEED': '17', 'PATH': '', 'OMP_NUM_THREADS': '1'})
    assert int(out.stdout) == stable_seed(3, 7, 'flip'), out.stderr


@pytest.mark.parametrize('one, other', [
    ((1, 2), (2, 1)), (('a', 'bc'), ('ab', 'c')), ((1, ), ('1', )),
    ((12, 3), (1, 23)), ((0, ), (0, 0)), ((1, ), (-1, )), ((2**70, ), (0, )),
])
def test_parts_are_kept_apart(one, other):
    assert stable_seed(*one) != stable_seed(*other)


def test_numpy_integer_equals_int():
    assert stable_seed(np.int64(5), np.uint8(2)) == stable_seed(5, 2)


@pytest.mark.parametrize('bad', [1.0, None, True, b'x'])
def test_other_types_are_refused(bad):
    with pytest.raises(TypeError, match='integers and strings'):
        stable_seed(0, bad)
