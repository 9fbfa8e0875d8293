"""The engine under two gloo processes."""
import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gssl_mm.engine import safe_load

FOLDER = Path(__file__).parent
_spec = importlib.util.spec_from_file_location(
    'kill_comparison', FOLDER / 'test_kill.py')
comparison = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(comparison)


def start(work_dir, **options):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    children = []
    for rank in range(2):
        env = dict(
            os.environ, OMP_NUM_THREADS='1', MASTER_ADDR='127.0.0.1',
            MASTER_PORT=str(port), WORLD_SIZE='2', RANK=str(rank),
            LOCAL_RANK=str(rank))
        children.append(subprocess.Popen(
            [sys.executable, str(FOLDER / 'two_process_child.py'),
             str(FOLDER / 'toy_config.py'), str(work_dir),
             json.dumps(options)],
            env=env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
            text=True))
    outputs = [child.communicate(timeout=900)[1] for child in children]
    return [child.returncode for child in children], outputs


@pytest.mark.slow
def test_killed_pair_resumes_and_the_main_process_writes(tmp_path):
    options = {'train_dataloader.batch_size': 4, 'val_dataloader.batch_size': 8,
               'model.backbone.norm': False, 'model.backbone.dropout': 0.2}
    plain, killed = tmp_path / 'plain', tmp_path / 'killed'
    codes, outputs = start(plain, **options)
    assert codes == [0, 0], outputs[0][-3000:]
    codes, _ = start(killed, kill_at=7, **options)
    assert codes == [-9, -9]
    codes, outputs = start(killed, **options)
    assert codes == [0, 0], outputs[0][-3000:]
    comparison.assert_same_end(plain, killed)
    result = json.loads((plain / 'result.json').read_text())
    assert result['world_size'] == 2 and result['total_batch_size'] == 8
    reports = [json.loads((plain / f'report{rank}.json').read_text())
               for rank in range(2)]
    assert all(report['channels_last'] for report in reports)
    assert all(report['strides'] == [] for report in reports)
    # Each process draws its own dropout.
    assert reports[0]['seed'] != reports[1]['seed']


@pytest.mark.slow
def test_two_processes_equal_one(toy_runner, tmp_path):
    """Weights agree where no layer draws or keeps batch statistics."""
    options = {'model.backbone.norm': False, 'model.backbone.dropout': 0.,
               'train_dataloader.dataset.noise': 0.}
    codes, outputs = start(
        tmp_path / 'pair', **options, **{'train_dataloader.batch_size': 4})
    assert codes == [0, 0], outputs[0][-3000:]
    toy_runner(**options).train()
    pair, single = (
        safe_load(tmp_path / name / 'epoch_4.pth')['state_dict']
        for name in ('pair', 'work'))
    for key, value in single.items():
        torch.testing.assert_close(pair[key], value, rtol=0, atol=1e-5)
