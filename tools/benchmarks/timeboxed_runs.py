r"""Finish as many training runs as a fixed time allows, side by side.

    python tools/benchmarks/timeboxed_runs.py --budget 400 --jobs 6 \
        configs/gssl/resnet32-ldamdrw_cifar10lt.py:0 \
        configs/gssl/resnet32_cifar10lt.py:0 -- --amp

Runs are CONFIG:SEED, the most important first; what follows ``--`` goes to
tools/train.py. Each is one tools/run_seeds.sh, whose environment variables
(WORK_DIRS, RESULTS, TAG, PYTHON) apply: a run with a results file is skipped,
one that was stopped is resumed by the next call.

``--jobs`` runs start at once. Their speed is read from their logs; when the
slowest would miss the end, the least important run is stopped, which makes the
others faster. A place that becomes free is given to the next run only if runs
of this length still fit. At the end everything is stopped. Leaves with 0 if at
least one run has finished.
"""
import argparse
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from bench_runs import Run

# Polls that are waited after a stop or a start before speeds are measured, and
# for which they are then measured at least
SETTLE = 3
# A forecast that is late by this part of what is left stops nothing
TOLERANCE = 0.03
GRACE = 10


class Pool:
    """The runs and the time that is left for them.

    Args:
        runs (list[Run]): The most important first.
        args (Namespace): Options of the command line.
    """

    def __init__(self, runs: list[Run], args: argparse.Namespace) -> None:
        self.runs, self.args = runs, args
        self.begin = time.monotonic()
        self.deadline = self.begin + args.budget
        self.changed = self.begin
        self.jobs = args.jobs

    def of(self, state: str) -> list[Run]:
        """Runs in a state, in order."""
        return [run for run in self.runs if run.state == state]

    def say(self, text: str) -> None:
        """Print a line with the time."""
        print(f'[{time.monotonic() - self.begin:5.0f} s] {text}', flush=True)

    def ends(self) -> list[float]:
        """Forecast ends of the running ones, as far as they are known."""
        settle = SETTLE * self.args.poll
        found = [run.end(self.args.epochs, self.changed + settle, settle)
                 for run in self.of('running')]
        return [end for end in found if end is not None]

    def may_start(self, now: float) -> bool:
        """Tell whether another run has a place, and is likely to fit."""
        running = self.of('running')
        if not self.of('waiting') or len(running) >= self.jobs:
            return False
        lengths = [run.full_length(self.args.epochs) for run in self.runs]
        longest = max(filter(None, lengths), default=None)
        if longest is not None:
            return now + longest <= self.deadline
        # Until a length is known only empty places are filled
        return now == self.begin or not running

    def fill(self, now: float) -> None:
        """Start waiting runs where there is room and time."""
        while self.may_start(now):
            run = self.of('waiting')[0]
            run.start(self.args.options, now)
            self.changed = now
            self.say(f'started {run.name}')

    def thin_out(self, now: float) -> None:
        """Stop the least important run if the slowest would be late."""
        running, ends = self.of('running'), self.ends()
        if len(running) < 2 or len(ends) < len(running):
            return
        late = max(ends) - self.deadline
        if late <= TOLERANCE * (self.deadline - now):
            return
        running[-1].stop()
        self.jobs, self.changed = len(running) - 1, now
        self.say(f'stopped {running[-1].name}: the slowest run would be '
                 f'{late:.0f} s late')

    def watch(self) -> None:
        """Run until all is done or the time is over."""
        self.fill(self.begin)
        while self.of('running'):
            time.sleep(min(self.args.poll,
                           max(0., self.deadline - time.monotonic())))
            now = time.monotonic()
            for run in self.of('running'):
                run.poll(now)
                if run.state != 'running':
                    self.changed = now
                    self.say(f'{run.state} {run.name}, {run.seconds:.0f} s')
            if now >= self.deadline:
                break
            self.fill(now)
            self.thin_out(now)
        self.close()

    def close(self) -> None:
        """Stop what is left, by force if it does not obey."""
        for run in self.of('running'):
            run.stop()
        started = [run for run in self.runs if run.process is not None]
        until = time.monotonic() + GRACE
        for run in started:
            try:
                run.process.wait(max(.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                run.stop(signal.SIGKILL)


def summary(pool: Pool) -> dict:
    """What became of the runs."""
    return dict(
        budget_s=pool.args.budget, epochs=pool.args.epochs,
        runs=[dict(name=run.name, state=run.state, seconds=run.seconds,
                   epochs=run.progress[-1][1] if run.progress else None)
              for run in pool.runs])


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line; options of the train tool follow ``--``."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('runs', nargs='+', metavar='CONFIG:SEED')
    parser.add_argument('--budget', type=float, required=True,
                        help='seconds after which everything is stopped')
    parser.add_argument('--jobs', type=int, default=6, help='runs at a time')
    parser.add_argument('--epochs', type=float, default=200,
                        help='length of a run')
    parser.add_argument('--poll', type=float, default=10,
                        help='seconds between two looks')
    parser.add_argument('--out', type=Path, help='what became of the runs')
    words = sys.argv[1:] if argv is None else argv
    cut = words.index('--') if '--' in words else len(words)
    args = parser.parse_args(words[:cut])
    args.options = words[cut + 1:]
    for name in args.runs:
        if not re.fullmatch(r'.+\.py:\d+', name):
            parser.error(f'a run is CONFIG.py:SEED, got {name!r}')
    return args


def main(argv: list[str] | None = None) -> int:
    """Run the pool."""
    args = parse_args(argv)
    pool = Pool([Run(name) for name in args.runs], args)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        pool.watch()
    finally:
        pool.close()
        if args.out:
            args.out.write_text(json.dumps(summary(pool), indent=2) + '\n')
    return 0 if pool.of('finished') else 1


if __name__ == '__main__':
    sys.exit(main())
