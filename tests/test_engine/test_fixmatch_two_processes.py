"""Two gloo processes train the FixMatch that one process trains."""
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
# Batch statistics are local to a process; leaky ReLU has a kink, where a
# rounding error moves a gradient
OPTIONS = {
    'model.backbone.norm_cfg': dict(
        _delete_=True, type='GN', num_groups=4),
    'model.backbone.act_cfg': dict(_delete_=True, type='Tanh'),
    'model.threshold': 0., 'train_cfg.max_iters': 6, 'total_batch_size': 4}


def start(work_dir, batch, kill_at=None, **options):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    size = 4 // batch
    options = dict(OPTIONS, **options, **{'train_dataloader.batch_size': batch})
    if kill_at is not None:
        options['kill_at'] = kill_at
    children = [subprocess.Popen(
        [sys.executable, str(FOLDER / 'two_process_child.py'),
         str(FOLDER / 'semi_config.py'), str(work_dir), json.dumps(options)],
        env=dict(os.environ, OMP_NUM_THREADS='1', MASTER_ADDR='127.0.0.1',
                 MASTER_PORT=str(port), WORLD_SIZE=str(size), RANK=str(rank),
                 LOCAL_RANK=str(rank)),
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for rank in range(size)]
    errors = [child.communicate(timeout=900)[1] for child in children]
    return [child.returncode for child in children], errors


@pytest.mark.slow
def test_two_processes_equal_one_and_resume(tmp_path):
    for name, batch in (('pair', 2), ('single', 4)):
        codes, errors = start(tmp_path / name, batch)
        assert set(codes) == {0}, errors[0][-3000:]
    codes, _ = start(tmp_path / 'killed', 2, kill_at=4)
    assert codes == [-9, -9]
    codes, errors = start(tmp_path / 'killed', 2)
    assert codes == [0, 0], errors[0][-3000:]
    pair, single, killed = (
        safe_load(tmp_path / name / 'iter_6.pth')
        for name in ('pair', 'single', 'killed'))
    for part in ('state_dict', 'ema_state_dict'):
        for key, value in single[part].items():
            torch.testing.assert_close(
                pair[part][key], value, rtol=0, atol=1e-4)
            assert torch.equal(pair[part][key], killed[part][key]), key
