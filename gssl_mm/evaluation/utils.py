"""What the metrics share: where a file goes and how it is written."""
from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmengine.logging import MessageHub

from gssl_mm.atomic_io import atomic_write

COUNTS_KEY = 'train_class_counts'
WORK_DIR_KEY = 'work_dir'


def training_counts(given: Sequence[int] | None, owner: str) -> Sequence[int]:
    """Training samples of every class.

    Args:
        given (Sequence[int], optional): Counts from the config; None for those
            that :class:`ClassCountsHook` publishes.
        owner (str): Name of the metric that asks.

    Raises:
        ValueError: If no counts are known.
    """
    if given is None:
        given = MessageHub.get_current_instance().get_info(COUNTS_KEY)
    if given is None:
        raise ValueError(
            f'{owner} does not know the training counts. Add '
            "dict(type='gssl_mm.ClassCountsHook') to custom_hooks (it reads "
            'the checkpoint or train_dataloader), or give class_counts=[...].')
    return given


def table_path(option: bool | str | None, default_name: str) -> Path | None:
    """Resolve an option that names a file or asks for the default one.

    Args:
        option (bool | str | None): A path; True for ``default_name`` in the
            runner's work dir; False or None for no file.
        default_name (str): File name in the work dir.

    Returns:
        Path | None: Where to write, if at all.

    Raises:
        ValueError: If the work dir is asked for and not known.
    """
    if not option:
        return None
    if option is not True:
        return Path(option)
    work_dir = MessageHub.get_current_instance().get_info(WORK_DIR_KEY)
    if work_dir is None:
        raise ValueError(
            f'The work dir for {default_name} is not known. Add '
            "dict(type='gssl_mm.ClassCountsHook') to custom_hooks, or give a "
            'path in place of True.')
    return Path(work_dir) / default_name


def write_csv(path: Path, header: Sequence[str],
              rows: Iterable[Sequence]) -> None:
    """Write a table under a temporary name and move it into place.

    Args:
        path (Path): File to write; its folder is made where it is missing.
        header (Sequence[str]): Column names.
        rows (Iterable[Sequence]): Values, one sequence a row.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(header)
    writer.writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, text.getvalue().encode())
