"""run_seeds.sh with a stand-in for the train tool."""
import json
import os
import signal
import subprocess
import sys
import time

import pytest

TRAIN = '''#!{python}
import json, os, pathlib, signal, sys, time
args = sys.argv[1:]
if args[0].endswith('add_to_result.py'):
    os.execv(os.environ['REAL'], [os.environ['REAL'], *args])
work = pathlib.Path(args[args.index('--work-dir') + 1])
seed = args[-1].removeprefix('randomness.seed=')
with open(os.environ['CALLS'], 'a') as file:
    file.write(json.dumps([seed, args, os.environ.get('CUDA_VISIBLE_DEVICES'),
                           os.environ.get('OMP_NUM_THREADS')]) + '\\n')
if args[0].endswith('test.py'):
    (work / 'robustness').mkdir(parents=True, exist_ok=True)
    (work / 'robustness' / 'summary.json').write_text(json.dumps(
        dict(metrics={{'pgd20/top1': 41.5}}, dtype='float32')))
    sys.exit(int(os.environ.get('TEST_CODE', 0)))
mode = os.environ.get(f'MODE_{{seed}}', 'ok')
if mode == 'fail':
    sys.exit('no luck')
if mode == 'hang':
    (work / 'started').touch()
    time.sleep(60)
if mode != 'silent':
    (work / 'result.json').write_text(json.dumps(dict(seed=int(seed))))
if mode == 'full':
    (work / 'last_checkpoint').write_text('/elsewhere/epoch_3.pth')
    (work / 'result.json').write_text(json.dumps(
        dict(seed=int(seed), config='c', metrics={{}})))
'''


@pytest.fixture
def seeds(run_tool, tmp_path, clean_env):
    """Run the script with the stand-in; returns (process, calls so far)."""
    fake = tmp_path / 'fake train'
    fake.write_text(TRAIN.format(python=sys.executable))
    fake.chmod(0o755)
    calls = tmp_path / 'calls'
    env = dict(PYTHON=str(fake), CALLS=str(calls), REAL=sys.executable)

    def run(*args, **more):
        done = run_tool('run_seeds.sh', *args, **{**env, **more})
        lines = calls.read_text().splitlines() if calls.exists() else []
        calls.unlink(missing_ok=True)
        return done, [json.loads(line) for line in lines]

    run.env = {**clean_env, **env}
    return run


def test_one_after_another_then_skipped(seeds, tmp_path):
    done, calls = seeds('configs/gssl/a b.py', '0', '7', '--', '--amp',
                        '--cfg-options', 'x=1 2')
    assert done.returncode == 0, done.stderr
    assert [c[0] for c in calls] == ['0', '7']
    assert calls[1][1][0].endswith('tools/train.py')
    assert calls[1][1][1:] == [
        'configs/gssl/a b.py', '--work-dir', 'work_dirs/a b/seed7',
        '--resume', '--amp', '--cfg-options', 'x=1 2', '--cfg-options',
        'randomness.seed=7']
    for seed in (0, 7):
        kept = tmp_path / 'results' / 'a b' / f'seed{seed}.json'
        assert kept.read_text() == f'{{"seed": {seed}}}'
    assert len(done.stdout.splitlines()) == 4
    done, calls = seeds('configs/gssl/a b.py', '0', '7', '8')
    assert [c[0] for c in calls] == ['8'] and done.returncode == 0
    assert done.stdout.count('skipped') == 2


def test_a_failure_does_not_stop_the_others_and_is_tried_again(seeds,
                                                               tmp_path):
    done, calls = seeds('c.py', '0', '1', '2', MODE_0='fail', MODE_1='silent')
    assert done.returncode == 1
    assert [c[0] for c in calls] == ['0', '1', '2']
    assert done.stdout.count('FAILED') == 2 and 'no luck' in done.stdout
    assert '2 of 3 seed(s) failed' in done.stderr
    assert [p.name for p in (tmp_path / 'results' / 'c').iterdir()] == [
        'seed2.json']
    done, calls = seeds('c.py', '0', '1', '2')
    assert done.returncode == 0 and [c[0] for c in calls] == ['0', '1']


def test_a_run_that_finished_before_its_copy_is_not_trained_again(seeds,
                                                                  tmp_path):
    work = tmp_path / 'W' / 'c-tag' / 'seed3'
    work.mkdir(parents=True)
    (work / 'result.json').write_text('{}')
    done, calls = seeds('gssl_mm::c.py', '3', TAG='tag', WORK_DIRS='W',
                        RESULTS='R')
    assert done.returncode == 0 and calls == []
    assert (tmp_path / 'R' / 'c-tag' / 'seed3.json').read_text() == '{}'


def test_seeds_are_spread_over_devices(seeds):
    done, calls = seeds('c.py', '0', '1', '2', '3', '4', DEVICES='4 6')
    assert done.returncode == 0
    assert {c[0]: c[2] for c in calls} == {
        '0': '4', '1': '6', '2': '4', '3': '6', '4': '4'}


def test_jobs_at_a_time_share_the_cores(seeds, clean_env):
    clean_env.pop('OMP_NUM_THREADS')
    done, calls = seeds('c.py', '0', '1', JOBS='2')
    assert done.returncode == 0 and sorted(c[0] for c in calls) == ['0', '1']
    share = max(1, len(os.sched_getaffinity(0)) // 2)
    assert [c[3] for c in calls] == [str(share)] * 2
    assert seeds('c.py', '0', JOBS='two')[0].returncode == 2


@pytest.mark.parametrize('words', [('c.py', 'x'), ('c.py', '--', '--amp'),
                                   ('c.py', '-1'), ('c.py', '01')])
def test_what_is_no_seed_is_refused(seeds, words):
    done, calls = seeds(*words)
    assert done.returncode == 2 and calls == []


def test_a_signal_ends_the_run_and_a_second_script_waits_its_turn(
        seeds, repo, tmp_path):
    script = repo / 'tools' / 'run_seeds.sh'
    first = subprocess.Popen(['bash', str(script), 'c.py', '0'], cwd=tmp_path,
                             env={**seeds.env, 'MODE_0': 'hang'})
    started = tmp_path / 'work_dirs' / 'c' / 'seed0' / 'started'
    until = time.monotonic() + 60
    while not started.exists() and time.monotonic() < until:
        time.sleep(.05)
    second, _ = seeds('c.py', '0')
    assert second.returncode == 1 and 'another run_seeds.sh' in second.stdout
    first.send_signal(signal.SIGTERM)
    assert first.wait(30) != 0
    # The lock is free again: its holder, the run, is gone too
    third, calls = seeds('c.py', '0')
    assert third.returncode == 0 and [c[0] for c in calls] == ['0']


def test_the_last_checkpoint_is_tested_and_its_numbers_are_kept(seeds,
                                                                tmp_path):
    options = ('--', '--amp', '--cfg-options', 'a=1', 'b=x y', '--no-pin')
    env = dict(MODE_5='full', TEST='1')
    done, calls = seeds('c.py', '5', *options, TEST_CODE='1', **env)
    assert done.returncode == 1 and not list(tmp_path.glob('results/*/*'))
    # What keeps the numbers may fail too, and says why
    full_disk = tmp_path / 'full_disk.sh'
    full_disk.write_text('#!/bin/sh\necho no space left >&2\nexit 3\n')
    full_disk.chmod(0o755)
    done, calls = seeds('c.py', '5', *options, REAL=str(full_disk), **env)
    assert done.returncode == 1
    assert 'FAILED (exit code 3)' in done.stdout
    assert 'no space left' in done.stdout
    done, calls = seeds('c.py', '5', *options, **env)
    assert done.returncode == 0, done.stdout
    # Trained already: tested alone, with the options for the config
    (_, args, _, _), = calls
    assert args[0].endswith('tools/test.py')
    assert args[1:] == ['c.py', 'work_dirs/c/seed5/epoch_3.pth', '--work-dir',
                        'work_dirs/c/seed5/test', '--cfg-options', 'a=1',
                        'b=x y']
    kept = tmp_path / 'results' / 'c' / 'seed5.json'
    found = json.loads(kept.read_text())
    assert found['robust']['metrics'] == {'pgd20/top1': 41.5}
    assert found['seed'] == 5
    assert seeds('c.py', '5', **env)[1] == []
    # Results of a run that was not tested are tested later
    kept.write_text(json.dumps(dict(seed=5, config='c', metrics={})))
    assert len(seeds('c.py', '5', **env)[1]) == 1
    assert '"robust"' in kept.read_text()


CONFIG = """
_base_ = {base!r}
shapes = dict(type='gssl_mm.SyntheticShapes', num_per_class=1, _delete_=True,
              pipeline=[dict(type='PackInputs')])
loader = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(dataset=shapes, **loader)
val_dataloader = test_dataloader = dict(
    dataset=dict(shapes, split='test'), **loader)
total_batch_size = 5
train_cfg = dict(max_epochs=1)
model = dict(attack=dict(num_steps=1))
test_cfg = dict(_delete_=True, type='gssl_mm.PGDEvaluator', attacks={{
    name: dict(type='gssl_mm.PGD', num_steps=1, center=center)
    for name, center in [('pgd20', 'clean'), ('pgd20-noised', 'noised')]}})
"""


@pytest.mark.slow
def test_an_adversarial_config_from_training_to_the_table(run_tool, repo,
                                                          tmp_path):
    base = repo / 'configs/adversarial/wrn10-1-pgd10_cifar10-15e.py'
    config = tmp_path / 'wrn10-1-pgd10_cifar10-15e.py'
    config.write_text(CONFIG.format(base=str(base)))
    done = run_tool('run_seeds.sh', config, '3', '--', '--cfg-options',
                    'result_label=built-in shapes', TEST='1')
    assert done.returncode == 0, done.stdout
    path = tmp_path / 'results' / config.stem / 'seed3.json'
    found = json.loads(path.read_text())
    assert found['seed'] == 3 and found['robust']['attacks']['pgd20'][
        'images'] == 10
    shown = run_tool('analysis/collect_results.py', 'centre', 'gssl-table2')
    assert shown.returncode == 0, shown.stderr
    both = [found['robust']['metrics'][f'{k}/top1']
            for k in ('pgd20', 'pgd20-noised')]
    apart = both[0] - both[1]
    assert (f'| {both[0]:.2f} | {both[1]:.2f} | {apart:+.2f} |'
            in shown.stdout)
    row = next(line for line in shown.stdout.splitlines()
               if line.startswith('| PGD | CIFAR-10 | – | PGD-20 |'))
    assert f'| 46.5 | `{config.stem}` | – | {both[1]:.2f} |' in row
    assert 'built-in shapes' in row
