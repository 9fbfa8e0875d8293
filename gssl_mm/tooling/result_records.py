"""Results of finished runs: what makes them alike, and their summaries."""
import json
import math
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

# Options that may differ, or are compared by what they led to
_NOT_COMPARED = ('train_cfg.', 'compile=', 'total_batch_size=',
                 'val_dataloader.batch_size=', 'test_dataloader.batch_size=',
                 'default_hooks.', 'log_')


@dataclass(frozen=True)
class Summary:
    """Mean and deviation of one number over seeds.

    Args:
        mean (float): Mean over the runs that have the number.
        std (float, optional): Sample standard deviation (n - 1); None for one
            run.
        count (int): Runs that have it.
    """

    mean: float
    std: float | None
    count: int

    def text(self, digits: int = 2) -> str:
        """Markdown: ``81.67 ± 0.31``, without the deviation for one run."""
        mean = f'{self.mean:.{digits}f}'
        return mean if self.std is None else f'{mean} ± {self.std:.{digits}f}'


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def metric_of(run: dict, key: str, which: str) -> Any:
    """A number of a run, None where it has none.

    Args:
        run (dict): Content of a file.
        key (str): A validation metric, ``'train/<scalar>'`` for its mean over
            the last epoch, or ``'<section>/<metric>'`` for what a test after
            the training added, such as ``'robust/pgd20/top1'``: that is one
            number, of the last checkpoint.
        which (str): ``'best'``, ``'last'`` or ``'median_last20'``, which is
            known after more than 20 evaluations.
    """
    if key in run['metrics']:
        found = run['metrics'][key]
        if which == 'median_last20' and len(found.get('history', ())) <= 20:
            return None
        return found.get(which)
    section, _, name = key.partition('/')
    if which != 'last' or not name:
        return None
    if section == 'train':
        return (run.get('train_last') or {}).get(name)
    added = run.get(section)
    added = added.get('metrics') if isinstance(added, dict) else None
    return (added or {}).get(name)


def summarise(values: Iterable[Any]) -> Summary | None:
    """Summarise finite numbers; None when there is none."""
    kept = [float(v) for v in values if _is_number(v)]
    if not kept:
        return None
    std = statistics.stdev(kept) if len(kept) > 1 else None
    return Summary(statistics.fmean(kept), std, len(kept))


@dataclass
class Group:
    """Runs that differ in nothing but their seed.

    Args:
        stem (str): Name of the folder under ``results/``: config and tag.
        setting (tuple): What else must be equal, see :func:`setting_of`.
        runs (list[dict]): Contents of the files.
    """

    stem: str
    setting: tuple
    runs: list[dict] = field(default_factory=list)

    @property
    def comparable(self) -> tuple:
        """What a group must share with one that it is compared with."""
        return comparable(self.runs[0])

    @property
    def seeds(self) -> list[int]:
        """Seeds of the runs, ascending."""
        return sorted(run['seed'] for run in self.runs)

    def metric(self, key: str, which: str) -> Summary | None:
        """Summarise ``'best'``, ``'last'`` or ``'median_last20'``."""
        return summarise(metric_of(run, key, which) for run in self.runs)

    def by_seed(self, key: str, which: str) -> dict[int, float]:
        """The finite numbers of a metric by their seed."""
        found = {run['seed']: metric_of(run, key, which) for run in self.runs}
        return {seed: float(value) for seed, value in found.items()
                if _is_number(value)}

    def train(self, key: str) -> Summary | None:
        """Summarise a training scalar's mean over the last epoch."""
        return summarise((run.get('train_last') or {}).get(key)
                         for run in self.runs)

    def train_keys(self, *prefixes: str) -> list[str]:
        """Training scalars with one of the prefixes, sorted."""
        return sorted({
            key for run in self.runs for key in run.get('train_last') or {}
            if key.startswith(prefixes)})

    def first(self, key: str, default: Any = None) -> Any:
        """A value that is equal in all runs of the group."""
        return self.runs[0].get(key, default)

    def places(self) -> str:
        """Hardware of the runs."""
        names = Counter(hardware_name(run) for run in self.runs)
        return '; '.join(sorted(names))

    def hours(self) -> float | None:
        """Mean wall time of a run in hours."""
        found = summarise(run.get('wall_time_s') for run in self.runs)
        return None if found is None else found.mean / 3600


def hardware_name(content: dict) -> str:
    """The GPU that was used, else the CPU with its threads.

    Args:
        content (dict): Of a file that a run or a benchmark wrote.

    Returns:
        str: With the CPU's vector instructions, where the file has them.
    """
    hardware = content.get('hardware') or {}
    # A run has no such key: it uses the GPU if there is one
    gpu = None if content.get('device') == 'cpu' else hardware.get('gpu')
    name = gpu or hardware.get('cpu') or 'unknown'
    name = ', '.join(name) if isinstance(name, list) else str(name)
    if gpu:
        return name
    capability, threads = map(hardware.get, ('cpu_capability', 'threads'))
    return (name + (f' ({capability})' if capability else '') +
            (f', {threads} thread(s)' if threads else ''))


def data_name(run: dict) -> str:
    """What the run was trained on: its label, or the data set's type."""
    dataset = run.get('dataset') or {}
    return run.get('label') or str(dataset.get('type') or 'unlabelled')


def by_iteration(run: dict) -> bool:
    """Whether the schedule counts iterations: the host calls that one epoch."""
    return run.get('max_epochs') in (None, 1) and bool(run.get('max_iters'))


def _frozen(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def model_options(run: dict) -> list[str]:
    """What the command line changed in the model."""
    return [option for option in run.get('cfg_options') or []
            if option.startswith('model.')]


def other_options(run: dict) -> list[str]:
    """What the command line changed beyond length and batch."""
    return [option for option in run.get('cfg_options') or []
            if not option.startswith(_NOT_COMPARED)]


def comparable(run: dict) -> tuple:
    """What must be equal before results of two recipes are compared.

    Data, length, batch, processes (each normalises by its own share),
    precision, and what the command line changed, of the evaluation too; not the
    folder of the data, nor when the run was evaluated.
    """
    dataset = {k: v for k, v in (run.get('dataset') or {}).items()
               if k != 'root'}
    length = run.get('max_iters' if by_iteration(run) else 'max_epochs')
    facts = (run.get(key) for key in (
        'total_batch_size', 'world_size', 'amp', 'compile'))
    return (data_name(run), *map(_frozen, (dataset, length, *facts,
                                         other_options(run))))


def setting_of(run: dict) -> tuple:
    """What must be equal before results are averaged.

    Results of another schedule, precision, batch, data set or config never
    share a mean, even when they lie in one folder.
    """
    return (*comparable(run), _frozen(run.get('config_text_sha')))


__all__ = [
    'Group', 'Summary', 'by_iteration', 'comparable', 'data_name',
    'hardware_name', 'metric_of', 'model_options', 'other_options',
    'setting_of', 'summarise'
]
