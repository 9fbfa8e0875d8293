"""One training run, watched from outside."""
import os
import re
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[1]
PROGRESS = re.compile(rb'Epoch\(train\)\s*\[\s*(\d+)\]\[\s*(\d+)/\s*(\d+)\]')
TAIL = 65536


@dataclass
class Run:
    """One seed of one config.

    Attributes:
        name (str): CONFIG:SEED as it was given.
        state (str): waiting, running, finished, failed or stopped.
    """

    name: str
    state: str = 'waiting'
    started: float = 0.
    seconds: float | None = None
    progress: list = field(default_factory=list)
    process: subprocess.Popen | None = None

    @property
    def config(self) -> str:
        """Path of the config."""
        return self.name.rpartition(':')[0]

    @property
    def seed(self) -> str:
        """Seed, as a word."""
        return self.name.rpartition(':')[2]

    @property
    def log(self) -> Path:
        """Log that run_seeds.sh writes."""
        tag = os.environ.get('TAG', '')
        stem = Path(self.config.rpartition('::')[2]).stem
        return Path(os.environ.get('WORK_DIRS', 'work_dirs'),
                    f'{stem}-{tag}' if tag else stem, f'seed{self.seed}',
                    'run_seeds.log')

    def start(self, options: list[str], now: float) -> None:
        """Start tools/run_seeds.sh in a process group of its own."""
        self.process = subprocess.Popen(
            ['bash', str(TOOLS / 'run_seeds.sh'), self.config, self.seed, '--',
             *options], start_new_session=True)
        self.state, self.started = 'running', now

    def stop(self, sign: int = signal.SIGTERM) -> None:
        """Stop the run; what it saved is resumed by a later call."""
        self.state = 'stopped'
        try:
            os.killpg(self.process.pid, sign)
        except ProcessLookupError:
            pass

    def poll(self, now: float) -> None:
        """Notice the end of the run, or how far it has come."""
        code = self.process.poll()
        if code is not None:
            self.state = 'finished' if code == 0 else 'failed'
            self.seconds = now - self.started
            return
        epochs = read_progress(self.log)
        if epochs is not None:
            self.progress.append((now, epochs))

    def end(self, epochs: float, since: float, span: float) -> float | None:
        """Time at which the run will end, None while it can't be told."""
        known = [point for point in self.progress if point[0] >= since]
        if not known or known[-1][0] - known[0][0] < span:
            return None
        (t0, e0), (t1, e1) = known[0], known[-1]
        return t1 + (epochs - e1) * (t1 - t0) / (e1 - e0) if e1 > e0 else None

    def full_length(self, epochs: float) -> float | None:
        """Seconds that the whole run would have taken, if it was resumed."""
        if self.state != 'finished' or not self.progress:
            return None
        return self.seconds * epochs / max(1, epochs - self.progress[0][1])


def read_progress(log: Path) -> float | None:
    """Epochs done, by the last line of a log that says so."""
    try:
        with open(log, 'rb') as file:
            file.seek(max(0, log.stat().st_size - TAIL))
            found = PROGRESS.findall(file.read())
    except OSError:
        return None
    if not found:
        return None
    epoch, step, steps = map(int, found[-1])
    return epoch - 1 + step / steps
