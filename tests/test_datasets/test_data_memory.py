import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / 'tools/benchmarks/data_memory.py'


@pytest.mark.slow
def test_memory_of_the_data_path(tmp_path):
    out = tmp_path / 'new' / 'memory.json'
    done = subprocess.run(
        [sys.executable, str(TOOL), '--cases', 'cifar100lt-0.01', '--out',
         str(out)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    case = json.loads(out.read_text())['cases']['cifar100lt-0.01']
    assert case['passed']
    # 10,847 images of 3,072 bytes and a label.
    assert case['bytes']['kept'] == 10847 * 3080
    assert case['bytes']['largest_file'] > 50000 * 3072
    assert case['ratios']['loading_peak/largest_file'] < 2.2
    assert 0.9 < case['ratios']['after_loading/kept'] < 1.2
    assert 0.8 < case['ratios']['epoch_end/kept'] < 1.2
    assert 'cifar100lt-0.01  ok' in done.stdout


def test_limits_are_judged():
    import importlib.util
    spec = importlib.util.spec_from_file_location('data_memory', TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    good = dict(kept=100, largest_file=100, loading_peak=219,
                after_loading=119, epoch_median=119, epoch_end=119,
                worker_unshared=0)
    assert tool.report(**good)['passed']
    for key, value in (('loading_peak', 221), ('after_loading', 121),
                       ('epoch_median', 121), ('epoch_end', 121)):
        assert not tool.report(**{**good, key: value})['passed']
