"""The cost of feature masks: that the table is printed, and what is saved."""
import json
import os
import subprocess
import sys
from argparse import Namespace

import pytest


@pytest.fixture
def cost(load):
    return load('feature_mask_cost')


def test_prints_the_whole_table(repo, tmp_path):
    out = tmp_path / 'cost.json'
    done = subprocess.run(
        [sys.executable, str(repo / 'tools/benchmarks/feature_mask_cost.py'),
         '--quick', '--out', str(out)],
        capture_output=True, text=True, check=False,
        env=dict(os.environ, OMP_NUM_THREADS='1'))
    assert done.returncode == 0, done.stderr
    content = json.loads(out.read_text())
    names = [row['variant'] for row in content['rows']]
    assert names == ['baseline', 'after stage 3', 'after stage 2',
                     'after stage 1', 'SLA', 'ours']
    for row in content['rows']:
        assert f'| {row["variant"]} |' in done.stdout
        assert row['time_ratio'] > 0
    saved = [row['saved_ratio'] for row in content['rows']]
    assert saved[0] == 1
    assert saved[:5] == sorted(saved[:5]) and saved[5] < saved[2]
    assert len(content['promises']) == 2


def test_ours_saves_no_more_than_two_per_cent_more(cost):
    """What is saved does not depend on the machine."""
    args = Namespace(depth=110, batch_size=2, device='cpu')
    steppers = {name: cost.Stepper(cost.VARIANTS[name][0], args)
                for name in ('baseline', 'ours')}
    rows = cost.measure_memory(steppers)
    assert 1 < rows['ours']['saved_ratio'] < cost.MEMORY_LIMIT
    assert rows['baseline']['saved_ratio'] == 1
    # Batch 128: the paper's 2768 MB hold weights and buffers too
    assert 1000 < rows['baseline']['saved_mib'] * 64 < 2768
