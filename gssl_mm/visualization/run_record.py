"""All that a work dir tells of its run."""
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gssl_mm.tooling.config_file import read_config
from gssl_mm.tooling.errors import ConfigFileError

from .class_bars import read_per_class
from .errors import HalfWrittenLogError, RunLogError
from .run_log import RunLog, read_log
from .trained_model import find_run_config

# Where a run lies and how it was started, which says nothing of what it is
PLACES = ('work_dir', 'load_from', 'resume', 'launcher', 'experiment_name',
          'tasks', 'source')


@dataclass
class RunRecord:
    """A run, finished or not.

    Args:
        name (str): What the page calls it.
        path (Path): Its work dir.
        log (RunLog): Its scalars.
        cfg (Config): Its config.
        result (dict): Content of ``result.json``; empty before the end.
        per_class (tuple, optional): As ``read_per_class`` returns it.
    """

    name: str
    path: Path
    log: RunLog
    cfg: Any
    result: dict
    per_class: tuple | None

    @property
    def by_epoch(self) -> bool:
        """Whether the run is counted in epochs."""
        return 'max_iters' not in (self.cfg.get('train_cfg') or {})

    @property
    def length(self) -> int | None:
        """Epochs, or iterations, that the config asks for."""
        train = self.cfg.get('train_cfg') or {}
        return train.get('max_epochs' if self.by_epoch else 'max_iters')

    @property
    def done(self) -> int:
        """Epochs, or iterations, of which there is a log."""
        if self.by_epoch:
            return self.log.last_epoch
        return max([*self.log.epochs, *(
            step for s in self.log.val.values() for step in s)], default=0)

    @property
    def status(self) -> str:
        """``'finished'`` or how far it is."""
        if self.result.get('finished'):
            return 'finished'
        unit = 'epoch' if self.by_epoch else 'iteration'
        return f'{unit} {self.done} of {self.length or "?"}'

    def curve(self, key: str) -> tuple[list[float], list[float]]:
        """Positions (epochs, or iterations) and values of a scalar."""
        points = self.log.val.get(key)
        if points is None:
            points = self.log.train.get(key, {})
            scale = (self.log.epoch_length or 1) if self.by_epoch else 1
        else:
            scale = 1
        steps = sorted(points)
        return [s / scale for s in steps], [points[s] for s in steps]

    def keys(self, *prefixes: str) -> list[str]:
        """Logged keys with one of the prefixes, in the order logged."""
        found = {**self.log.train, **self.log.val}
        return [key for key in found if key.startswith(prefixes)]

    def metric(self, key: str) -> dict[str, float]:
        """Last and best value of a test metric, with their steps."""
        points = {s: v for s, v in self.log.val.get(key, {}).items()
                  if v == v}
        if not points:
            return {}
        last, best = max(points), max(points, key=points.get)
        return dict(last=points[last], last_step=last, best=points[best],
                    best_step=best)


def read_run(path: str | Path, name: str | None = None) -> RunRecord:
    """Read a work dir.

    Args:
        path (str | Path): The work dir.
        name (str, optional): Defaults to None, the folder's.

    Raises:
        RunLogError: There is no such folder, or no log in it.
        HalfWrittenLogError: The log, the results or the table of classes were
            cut off.
        ConfigFileError: The run's config is missing or can't be read.
    """
    path = Path(path)
    if not path.is_dir():
        raise RunLogError(f'{path} is no folder. Give the work dir of a run.')
    log = read_log(path)
    try:
        cfg = read_config(str(find_run_config(path)))
    except ConfigFileError as error:
        raise ConfigFileError(f'{error} The page compares configs.') from error
    table = path / 'per_class_accuracy.csv'
    return RunRecord(name or path.resolve().name, path, log, cfg,
                     _result(path), read_per_class(table)
                     if table.is_file() else None)


def _result(path: Path) -> dict:
    file = path / 'result.json'
    if not file.is_file():
        return {}
    try:
        content = json.loads(file.read_text(errors='replace'))
    except ValueError as error:
        raise HalfWrittenLogError(
            f'{file} is cut off or no JSON: {error}. It is written when a run '
            'ends: resume the run to write it anew, or remove it.') from error
    if not isinstance(content, dict):
        raise HalfWrittenLogError(f'{file} holds no object of results.')
    return content


def read_runs(paths: list[tuple[str | None, str]]) -> list[RunRecord]:
    """Read work dirs under names that differ.

    Args:
        paths (list[tuple]): Name, or None, and work dir.
    """
    runs = [read_run(path, name) for name, path in paths]
    for run, (name, _) in zip(runs, paths, strict=True):
        # seed0 says little: its parent is the config
        parts = run.path.resolve().parts
        if name is None and parts[-1].startswith('seed'):
            run.name = '/'.join(parts[-2:])
    taken = [run.name for run in runs]
    for place, run in enumerate(runs):
        if taken.count(run.name) > 1:
            run.name = f'{run.name} ({place + 1})'
    return runs


def flatten(node: Any, prefix: str = '') -> dict[str, str]:
    """Make one level of a config: dotted keys to texts."""
    if isinstance(node, dict) and node:
        pairs = node.items()
    elif isinstance(node, list | tuple) and any(
            isinstance(item, dict) for item in node):
        pairs = ((str(i), item) for i, item in enumerate(node))
    else:
        return {prefix: str(list(node) if isinstance(node, tuple) else node)}
    flat: dict[str, str] = {}
    for key, value in pairs:
        flat.update(flatten(value, f'{prefix}.{key}' if prefix else str(key)))
    return flat


def config_rows(runs: list[RunRecord]) -> tuple[list[list], int]:
    """Keys whose values differ between runs, and how many are equal.

    Returns:
        tuple[list, int]: Rows ``[key, value of each run]``, None where a run
        has no such key; the number of equal keys.
    """
    flats = [flatten({k: v for k, v in run.cfg.to_dict().items()
                      if k not in PLACES}) for run in runs]
    keys = list(dict.fromkeys(key for flat in flats for key in flat))
    rows = [[key, *(flat.get(key) for flat in flats)] for key in keys]
    unlike = [row for row in rows if len(set(row[1:])) > 1]
    return unlike, len(rows) - len(unlike)


__all__ = ['RunRecord', 'config_rows', 'flatten', 'read_run', 'read_runs']
