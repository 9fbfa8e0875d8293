"""The results files of runs, found, read and grouped."""
import json
import re
from collections.abc import Iterable
from pathlib import Path

from .result_records import Group, setting_of

NEEDED = ('config', 'seed', 'metrics')


class ResultFileError(ValueError):
    """A results file is damaged or contradicts another one."""


def read_run(path: Path) -> dict | None:
    """Read one file; None for JSON that is no run's results.

    Raises:
        ResultFileError: The file is not JSON.
    """
    try:
        content = json.loads(path.read_text())
    except (ValueError, OSError) as error:
        raise ResultFileError(
            f'{path} is not readable JSON ({error}). Remove it and run its '
            'seed again.') from error
    if not isinstance(content, dict) or any(k not in content for k in NEEDED):
        return None
    return content


def stem_of(path: Path, root: Path, run: dict) -> str:
    """Name of what was run: of the folder, or the config.

    A work dir ``<stem>/seed<k>/result.json`` counts like a results folder.
    """
    folder = path.parent
    if path.name == 'result.json' and re.fullmatch(r'seed\d+', folder.name):
        return folder.parent.name
    if path.name == 'result.json' or folder == root:
        return str(run['config'])
    return folder.name


def _result_files(roots: Iterable[Path]) -> list[tuple[Path, Path]]:
    found: dict[Path, Path] = {}
    for root in roots:
        # The logs of a run, finished or not, are JSON by the line
        paths = [root] if root.is_file() else sorted(
            p for p in root.rglob('*.json') if p.parent.name != 'vis_data')
        if root.is_dir() and any(p.name == 'result.json' for p in paths):
            # A work dir holds other JSON too, of its gates for instance
            paths = [p for p in paths if p.name == 'result.json']
        found.update((path.resolve(), root.resolve()) for path in paths)
    return list(found.items())


def read_groups(*roots: Path) -> list[Group]:
    """Read every run below folders and group the runs.

    Args:
        *roots (Path): Usually ``results``; runs lie in
            ``<stem>/seed<k>.json``. Work dirs and single files are read too.

    Returns:
        list[Group]: Sorted by stem.

    Raises:
        ResultFileError: A file is damaged, or two files of a group have the
            same seed.
    """
    groups: dict[tuple, Group] = {}
    for path, root in _result_files(roots):
        run = read_run(path)
        if run is None:
            continue
        stem = stem_of(path, root, run)
        group = groups.setdefault(
            (stem, setting_of(run)), Group(stem, setting_of(run)))
        if run['seed'] in group.seeds:
            raise ResultFileError(
                f'{path} holds seed {run["seed"]} of {stem} a second time: a '
                'run must be counted once. Remove one of the files.')
        group.runs.append(run)
    return sorted(groups.values(), key=lambda g: (g.stem, g.setting))


__all__ = ['NEEDED', 'ResultFileError', 'read_groups', 'read_run', 'stem_of']
