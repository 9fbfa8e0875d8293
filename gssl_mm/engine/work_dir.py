"""A check of the work directory before any time is spent on a run."""
import os
import stat
from pathlib import Path

from .errors import WorkDirError

_PROBE = '.gssl-write-probe'
_PROBE_BYTES = 4096


def check_work_dir(path: str | os.PathLike) -> Path:
    """Create a work directory and prove that a file can be written there.

    Args:
        path (str | PathLike): The folder that a run is about to use.

    Returns:
        Path: The absolute path of the existing, writable folder.

    Raises:
        WorkDirError: ``path`` or a parent is a file or a device, the folder
            can't be created or written, or the device behind it is full.

    Example:
        >>> work_dir = check_work_dir('work_dirs/resnet32_cifar100lt')
    """
    folder = Path(path).expanduser().absolute()
    if folder.exists() and not folder.is_dir():
        raise WorkDirError(
            f'The work dir {folder} is a {_kind(folder)}, not a folder. Name '
            'a folder, new or existing, with --work-dir.')
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _probe(folder / _PROBE)
    except OSError as error:
        raise WorkDirError(
            f'The work dir {folder} can not be written: {error}. A run needs '
            'a folder on a device with free space. Free space, change the '
            'permissions, or choose another folder with --work-dir.'
        ) from error
    return folder


def _probe(path: Path) -> None:
    try:
        with open(path, 'wb') as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    finally:
        path.unlink(missing_ok=True)


def _kind(path: Path) -> str:
    mode = path.stat().st_mode
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        return 'device'
    return 'file' if stat.S_ISREG(mode) else 'special file'


__all__ = ['check_work_dir']
