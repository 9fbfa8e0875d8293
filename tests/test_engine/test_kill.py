"""A run that is killed and resumed ends where the uninterrupted one ends."""
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from gssl_mm.engine import safe_load

FOLDER = Path(__file__).parent
TIMES = ('time', 'data_time')


def start(scenarios, folder, config='toy_config.py'):
    """Run scenarios in a child process; names become work dirs."""
    listed = []
    for name, scenario in scenarios.items():
        scenario = dict(scenario, work_dir=str(folder / name))
        if 'config' in scenario:
            scenario['config'] = str(FOLDER / scenario['config'])
        listed.append(scenario)
    path = folder / 'scenarios.json'
    path.write_text(json.dumps(listed))
    done = subprocess.run(
        [sys.executable, str(FOLDER / 'kill_child.py'),
         str(FOLDER / config), str(path)],
        env=dict(os.environ, OMP_NUM_THREADS='1'),
        capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout + done.stderr


def newest(folder):
    return safe_load(Path((folder / 'last_checkpoint').read_text()))


def scalars(checkpoint):
    return {
        key: history.data
        for key, history in checkpoint['message_hub']['log_scalars'].items()
        if key.split('/')[-1] not in TIMES
    }


def assert_same_tree(one, two, path=''):
    assert type(one) is type(two), path
    if isinstance(one, dict):
        assert list(one) == list(two), path
        for key in one:
            assert_same_tree(one[key], two[key], f'{path}/{key}')
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(two), path
        for index, (a, b) in enumerate(zip(one, two, strict=True)):
            assert_same_tree(a, b, f'{path}/{index}')
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, two), path
    else:
        assert one == two, path


def assert_same_end(one, two):
    """Compare two finished work dirs, bit for bit."""
    a, b = newest(one), newest(two)
    for key in ('state_dict', 'optimizer', 'param_schedulers'):
        assert_same_tree(a[key], b[key], key)
    assert {k: a['meta'][k] for k in ('epoch', 'iter', 'seed')} == {
        k: b['meta'][k] for k in ('epoch', 'iter', 'seed')}
    logs, others = scalars(a), scalars(b)
    assert list(logs) == list(others)
    for key in logs:
        for mine, other in zip(logs[key], others[key], strict=True):
            np.testing.assert_array_equal(mine, other, err_msg=key)
    info, other = (c['message_hub']['runtime_info'] for c in (a, b))
    for key in ('epoch', 'iter', 'best_score', 'keep_ckpt_ids',
                'evaluated_at', 'outdated_ckpts'):
        assert info.get(key) == other.get(key), key
    names = [sorted(p.name for p in folder.glob('**/*.pth'))
             for folder in (one, two)]
    assert names[0] == names[1]
    for name in names[0]:
        assert_same_tree(
            safe_load(one / name)['state_dict'],
            safe_load(two / name)['state_dict'], name)
    assert not list(two.glob('.*tmp'))
    results = [json.loads((f / 'result.json').read_text()) for f in (one, two)]
    for key in ('metrics', 'train_last', 'max_iters', 'seed'):
        assert results[0][key] == results[1][key], key


@pytest.fixture(scope='module')
def runs(tmp_path_factory):
    """Every default scenario, in one child process."""
    folder = tmp_path_factory.mktemp('kills')
    workers = {'train_dataloader.num_workers': 2}
    persistent = {**workers, 'train_dataloader.persistent_workers': True}
    at_two = {'train_cfg.val_interval': 2}
    # Five iterations an epoch: one is left over.
    accumulate = {'optim_wrapper.accumulative_counts': 2}
    iterations = dict(config='toy_iter_config.py')
    # Saved after every third iteration; two passes of five lie before a kill
    bounded = {'default_hooks.runtime_info.history': 1,
               'default_hooks.gate_curves.type': 'gssl_mm.GateCurvesHook',
               'log_processor.window_size': 4}
    log = start({
        'plain': {},
        'step': dict(kills=[['iter', 3], ['iter', 9], ['iter', 1]]),
        'write': dict(kills=[[kind, n] for kind in ('write', 'rename')
                             for n in (1, 2, 5)]),
        'after': dict(kills=[['renamed', 1], ['renamed', 2], ['renamed', 4],
                             ['delete', 1], ['delete', 2]]),
        'truncated': dict(kills=[['iter', 18], ['truncate', 5000]]),
        'emptied': dict(kills=[['iter', 13], ['truncate', 0]]),
        'workers': dict(options=workers, kills=[['iter', 8]]),
        'persistent': dict(options=persistent, kills=[['iter', 8]]),
        'persistent-plain': dict(options=persistent),
        'val2': dict(options=at_two),
        'val2-killed': dict(options=at_two, kills=[
            ['iter', 8], ['renamed', 1], ['iter', 7]]),
        'accumulated': dict(options=accumulate),
        'accumulated-killed': dict(options=accumulate, kills=[['iter', 8]]),
        # Killed before, at and after the deferred re-weighting
        'gssl': dict(config='gssl_config.py'),
        'gssl-killed': dict(config='gssl_config.py', kills=[
            ['iter', 3], ['write', 2], ['iter', 6], ['renamed', 2],
            ['iter', 4]]),
        'iterations': iterations,
        'iterations-killed': dict(iterations, kills=[
            ['iter', 5], ['write', 4], ['renamed', 3], ['iter', 8]]),
        'bounded': dict(iterations, options=bounded),
        'bounded-killed': dict(iterations, options=bounded, kills=[
            ['iter', 13], ['iter', 5]]),
    }, folder)
    return folder, log


@pytest.mark.parametrize('name, reference', [
    ('step', 'plain'),
    ('write', 'plain'),
    ('after', 'plain'),
    ('truncated', 'plain'),
    ('emptied', 'plain'),
    ('workers', 'persistent-plain'),
    ('persistent', 'persistent-plain'),
    ('val2-killed', 'val2'),
    ('accumulated-killed', 'accumulated'),
    ('iterations-killed', 'iterations'),
    ('bounded-killed', 'bounded'),
    ('gssl-killed', 'gssl'),
])
def test_killed_and_resumed_equals_uninterrupted(runs, name, reference):
    assert_same_end(runs[0] / reference, runs[0] / name)


def test_a_bounded_history_ends_with_the_same_result_and_gates(runs):
    ends = [[json.loads((runs[0] / name / file).read_text()) for file in files]
            for name, *files in (
                ('iterations', 'result.json'),
                ('bounded', 'result.json', 'gate_curves.json'),
                ('bounded-killed', 'result.json', 'gate_curves.json'))]
    for key in ('metrics', 'train_last'):
        assert ends[0][0][key] == ends[1][0][key] == ends[2][0][key]
    assert ends[1][1] == ends[2][1]
    logs = scalars(newest(runs[0] / 'iterations'))['train/gate_toy'][0]
    curves = ends[1][1]
    assert len(logs) == 20 and curves['iterations'] == 5
    np.testing.assert_allclose(
        curves['first_epoch']['gate_toy'], logs[:5], atol=1e-5)
    np.testing.assert_allclose(
        curves['epochs']['gate_toy'], logs.reshape(4, 5).mean(1), atol=1e-5)
    kept = scalars(newest(runs[0] / 'bounded'))['train/gate_toy'][0]
    np.testing.assert_array_equal(kept, logs[-5:])


def test_truncated_checkpoint_is_refused_by_name(runs):
    folder, log = runs
    assert f'Refused {folder}/truncated/epoch_3.pth' in log
    assert f'Refused {folder}/emptied/epoch_2.pth' in log
    assert f'{folder}/truncated/epoch_2.pth' in log


def test_comparison_sees_a_difference(runs):
    with pytest.raises(AssertionError):
        assert_same_end(runs[0] / 'plain', runs[0] / 'val2')


def test_one_checkpoint_an_epoch_and_the_last_two_stay(runs):
    names = {p.name for p in (runs[0] / 'plain').glob('epoch*.pth')}
    assert names == {'epoch_3.pth', 'epoch_4.pth'}
    info = newest(runs[0] / 'plain')['message_hub']['runtime_info']
    assert Path(info['best_ckpt']).is_file()
    assert len(list((runs[0] / 'plain').glob('best_*.pth'))) == 1


@pytest.mark.slow
def test_without_step_seeds_a_resumed_run_differs(tmp_path):
    """The comparison would see a generator that is not restored."""
    options = dict(custom_hooks=[dict(type='gssl_mm.ResultsHook')])
    start({'plain': dict(options=options),
           'again': dict(options=options),
           'killed': dict(options=options, kills=[['iter', 8]])}, tmp_path)
    assert_same_end(tmp_path / 'plain', tmp_path / 'again')
    with pytest.raises(AssertionError, match='state_dict'):
        assert_same_end(tmp_path / 'plain', tmp_path / 'killed')


@pytest.mark.slow
def test_random_moments(tmp_path):
    """SIGKILL from a timer, wherever it hits, and at random files."""
    draw = random.Random(int.from_bytes(os.urandom(4), 'little'))
    options = {'train_cfg.max_epochs': 12, 'max_epochs': 12}
    scenarios = {'plain': dict(options=options)}
    for number in range(6):
        kills = [['time', draw.uniform(0.05, 1.2)] for _ in range(6)]
        kills += [[draw.choice(['write', 'rename', 'renamed']),
                   draw.randint(1, 3)] for _ in range(3)]
        draw.shuffle(kills)
        scenarios[f'killed{number}'] = dict(
            options=options, kills=kills, may_miss=True)
    start(scenarios, tmp_path)
    for number in range(6):
        kills = scenarios[f'killed{number}']['kills']
        print(kills)  # shown when the comparison fails
        assert_same_end(tmp_path / 'plain', tmp_path / f'killed{number}')
