"""Files that are either complete or absent, whenever the process dies."""
import os
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

ATOMIC_BACKEND = 'gssl_mm_atomic'
TEMPORARY_SUFFIX = '.gssl-tmp'


class FileWriteError(OSError):
    """A file can't be written: the device is full, or the folder closed."""


def sync_directory(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_synced(path: Path, data: bytes) -> None:
    with open(path, 'wb') as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def temporary_name(path: str | os.PathLike) -> Path:
    """Name under which ``path`` is written before it is complete."""
    path = Path(path)
    return path.with_name(f'.{path.name}{TEMPORARY_SUFFIX}')


def atomic_write(path: str | os.PathLike, data: bytes) -> None:
    """Write a file so that its name never holds half of it.

    The bytes go to a hidden temporary name in the same folder, are flushed to
    the device, and take the final name by a rename, which is atomic; then the
    folder itself is flushed.

    Args:
        path (str | PathLike): The file to create or to replace.
        data (bytes): All of its content.

    Raises:
        FileWriteError: The device is full, or the folder can't be written.
            What stood at ``path`` before is untouched.
    """
    path = Path(path)
    temporary = temporary_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_synced(temporary, data)
        os.replace(temporary, path)
        sync_directory(path.parent)
    except OSError as error:
        _remove_quietly(temporary)
        raise FileWriteError(
            f'Could not write {len(data):,} bytes to {path}: {error}. Nothing '
            'was replaced: what was there is still complete. Free space on '
            'that device or choose another folder; a training continues from '
            'its last checkpoint with --resume.') from error


def _remove_quietly(path: Path) -> None:
    try:
        path.unlink()
    except OSError:
        pass


def remove_leftovers(folder: str | os.PathLike) -> list[Path]:
    """Delete the temporary files that a killed write left in ``folder``.

    Args:
        folder (str | PathLike): A folder that no running process writes to.

    Returns:
        list[Path]: What was deleted.
    """
    leftovers = sorted(Path(folder).glob(f'.*{TEMPORARY_SUFFIX}'))
    for path in leftovers:
        _remove_quietly(path)
    return leftovers


class AtomicLocalBackend(LocalBackend):
    """Local files as the host's ``LocalBackend``, written by a rename.

    Selected by ``backend_args=dict(backend='gssl_mm_atomic')``;
    :class:`~gssl_mm.engine.hooks.CheckpointHook` does so by itself for local
    folders.
    """

    def put(self, obj: bytes, filepath: str | os.PathLike) -> None:
        """Write ``obj`` to ``filepath``, all of it or nothing."""
        atomic_write(filepath, bytes(obj))

    def put_text(self,
                 obj: str,
                 filepath: str | os.PathLike,
                 encoding: str = 'utf-8') -> None:
        """Write text to ``filepath``, all of it or nothing."""
        atomic_write(filepath, obj.encode(encoding))


register_backend(ATOMIC_BACKEND, AtomicLocalBackend, force=True)

__all__ = [
    'ATOMIC_BACKEND', 'TEMPORARY_SUFFIX', 'AtomicLocalBackend',
    'FileWriteError', 'atomic_write', 'remove_leftovers', 'sync_directory',
    'temporary_name'
]
