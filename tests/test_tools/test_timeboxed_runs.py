"""The pool of runs that have to end by a fixed time."""
import json
from argparse import Namespace

import pytest

RUN_SEED = '''#!/usr/bin/env bash
# Stands in for the train tool: TRAIN.PY CONFIG --work-dir DIR ...
if [[ $2 == *hang* ]]; then
    echo 'Epoch(train)  [3][50/97]  lr: 0.1'
    exec sleep 60
fi
[[ $2 != *broken* ]] || exit 3
echo '{}' >"$4/result.json"
'''


def test_progress_is_the_last_line_that_tells_it(load, tmp_path):
    runs = load('bench_runs')
    log = tmp_path / 'log'
    assert runs.read_progress(log) is None
    log.write_text('nothing yet\n')
    assert runs.read_progress(log) is None
    log.write_text('11/22 - mmengine - INFO - Epoch(train)   [1][50/97]  lr\n'
                   'INFO - Epoch(train) [ 12][ 48/ 96]  lr: 1\n'
                   'INFO - Epoch(val) [12][20/20]  accuracy: 1\n')
    assert runs.read_progress(log) == 11.5


@pytest.fixture
def pool(load):
    """Three runs since 0 s, 100 s to go, a poll a second; none is started."""
    module = load('timeboxed_runs')
    args = Namespace(budget=100, jobs=3, epochs=200, poll=1., options=[])
    made = module.Pool([module.Run(f'{n}.py:0') for n in 'abc'], args)
    made.begin, made.deadline, made.changed = 0., 100., 0.
    for run in made.runs:
        run.state = 'running'
        run.stop = lambda sign=15, run=run: setattr(run, 'state', 'stopped')
    return made


def feed(pool, rates, until):
    for run, rate in zip(pool.runs, rates, strict=True):
        run.progress = [(float(t), rate * t) for t in range(until + 1)]


def test_the_last_run_gives_way_when_the_slowest_is_late(pool):
    feed(pool, (2.1, 2.2, 2.3), 10)
    pool.thin_out(10.)
    assert len(pool.of('running')) == 3
    feed(pool, (1.8, 2.2, 2.3), 10)
    pool.thin_out(10.)
    assert [run.state for run in pool.runs] == [
        'running', 'running', 'stopped']
    assert pool.jobs == 2 and pool.changed == 10
    # The old speeds say nothing any more
    pool.thin_out(11.)
    assert len(pool.of('running')) == 2


def test_nobody_is_stopped_too_early_or_as_the_only_one(pool):
    feed(pool, (1., 1., 1.), 5)
    pool.thin_out(5.)
    assert len(pool.of('running')) == 3
    for run in pool.runs[1:]:
        run.state = 'finished'
    feed(pool, (1., 1., 1.), 50)
    pool.thin_out(50.)
    assert pool.runs[0].state == 'running'


def test_a_free_place_is_given_away_if_a_run_still_fits(pool):
    first, second, third = pool.runs
    first.state, first.seconds, third.state = 'finished', 40., 'waiting'
    assert not pool.may_start(40.)  # what it takes is not known
    first.progress = [(0., 0.), (39., 199.)]
    assert pool.may_start(60.) and not pool.may_start(61.)
    # Half of it was done before
    first.progress = [(0., 100.)]
    assert pool.may_start(20.) and not pool.may_start(21.)
    pool.jobs = 1
    assert not pool.may_start(0.)


def test_timeboxed_runs(run_tool, tmp_path):
    fake = tmp_path / 'train'
    fake.write_text(RUN_SEED)
    fake.chmod(0o755)
    out = tmp_path / 'runs.json'

    def run(*names):
        done = run_tool(
            'benchmarks/timeboxed_runs.py', *names, '--budget', 4, '--poll',
            .2, '--jobs', 2, '--out', out, '--', '--amp', PYTHON=str(fake))
        runs = json.loads(out.read_text())['runs']
        return done, {run['name']: run['state'] for run in runs}, runs

    done, states, runs = run('a.py:0', 'hang.py:1')
    assert done.returncode == 0, done.stderr
    assert states == {'a.py:0': 'finished', 'hang.py:1': 'stopped'}
    assert runs[1]['epochs'] == pytest.approx(2 + 50 / 97)
    assert (tmp_path / 'results' / 'a' / 'seed0.json').is_file()
    assert not (tmp_path / 'results' / 'hang' / 'seed1.json').exists()
    done, states, _ = run('broken.py:0')
    assert done.returncode == 1 and states == {'broken.py:0': 'failed'}


def test_what_is_no_run_is_refused(run_tool):
    done = run_tool('benchmarks/timeboxed_runs.py', 'c.py', '--budget', '1')
    assert done.returncode == 2 and "got 'c.py'" in done.stderr
