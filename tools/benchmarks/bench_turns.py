"""Training runs that take turns: one epoch of one run at a time.

Each run is a process of its own, as a user would start it. It waits before
every epoch until it is its turn, so that runs which are compared meet the same
machine, minute by minute, and never each other.
"""
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import torch
from mmengine.hooks import Hook

WORD = b'go\n'
TAIL = 2000


class TurnsHook(Hook):
    """Wait for the turn before an epoch, and say how long it took.

    Args:
        source (int): File descriptor from which ``go`` is read.
        sink (int): Where to reports go, a JSON line each.
    """

    # Waits after all others, reports after all others
    priority = 'LOWEST'

    def __init__(self, source: int, sink: int) -> None:
        self.source = os.fdopen(source, 'rb', buffering=0)
        self.sink = os.fdopen(sink, 'w', buffering=1)
        self.metrics = {}
        self.train_s = None

    def before_train_epoch(self, runner) -> None:
        """Report the epoch before, if any, and wait."""
        self._report('ready')
        if self.source.readline() != WORD:
            sys.exit('the benchmark has gone')
        self.start = time.perf_counter()

    def after_train_epoch(self, runner) -> None:
        """Stop the clock of the training."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.train_s = time.perf_counter() - self.start

    def after_val_epoch(self, runner, metrics: dict | None = None) -> None:
        """Keep the accuracy."""
        self.metrics = {k: float(v) for k, v in (metrics or {}).items()
                        if isinstance(v, int | float)}

    def after_train(self, runner) -> None:
        """Report the last epoch."""
        self._report('done')

    def _report(self, event: str) -> None:
        found = dict(event=event, metrics=self.metrics)
        if self.train_s is not None:
            found.update(train_s=self.train_s,
                         epoch_s=time.perf_counter() - self.start)
        self.sink.write(f'{json.dumps(found)}\n')


class Entrant:
    """A run in a process of its own, seen from the benchmark.

    Args:
        command (list[str]): Starts a process that trains with a
            :class:`TurnsHook`; the two file descriptors are appended.
        log (Path): Takes its output.
        env (dict[str, str]): Its environment.
    """

    def __init__(self, command: list[str], log: Path,
                 env: dict[str, str]) -> None:
        self.log = log
        source, self.words = os.pipe()
        reports, sink = os.pipe()
        with open(log, 'wb') as output:
            self.process = subprocess.Popen(
                [*command, str(source), str(sink)], env=env, stdout=output,
                stderr=output, stdin=subprocess.DEVNULL,
                pass_fds=(source, sink))
        os.close(source), os.close(sink)
        self.reports = os.fdopen(reports, 'r')
        self.metrics: dict = {}

    def wait(self) -> dict:
        """Read a report.

        Raises:
            ChildProcessError: The run died.
        """
        line = self.reports.readline()
        if not line:
            code = self.process.wait()
            end = self.log.read_text(errors='replace')[-TAIL:]
            raise ChildProcessError(
                f'a run left with {code}; the end of {self.log}:\n{end}')
        report = json.loads(line)
        self.metrics = report['metrics'] or self.metrics
        return report

    def turn(self) -> dict:
        """Let it train an epoch; return the report of it."""
        os.write(self.words, WORD)
        return self.wait()

    def close(self) -> None:
        """End the process."""
        os.close(self.words)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reports.close()
