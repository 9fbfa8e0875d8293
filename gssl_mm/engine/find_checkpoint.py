"""The checkpoint from which a killed run continues."""
import logging
import os
import re
import zipfile
from pathlib import Path

from mmengine.logging import print_log

from .errors import CheckpointError
from .safe_checkpoint import safe_load

RESUME_KEYS = ('meta', 'state_dict', 'message_hub', 'optimizer')
_NUMBERED = re.compile(r'[A-Za-z_]*_(\d+)\.pth')


def verify_checkpoint(path: str | os.PathLike) -> None:
    """Prove that training can continue from a file.

    The checksums of the archive are compared, the content is read as data, and
    the parts that a resumed run needs are looked for.

    Args:
        path (str | PathLike): A file written by ``CheckpointHook``.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: The file is truncated, damaged or no checkpoint, or
            lacks what resuming needs.
    """
    checkpoint = safe_load(path, map_location='cpu')
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise CheckpointError(
                f'{path} is damaged: the checksum of its part {damaged} is '
                'wrong. Use an earlier checkpoint.')
    require_resumable(checkpoint, path)


def require_resumable(checkpoint, name: str | os.PathLike) -> None:
    """Refuse a checkpoint that lacks what a resumed run needs.

    Args:
        checkpoint (dict): The content of the file.
        name (str | PathLike): What the error calls the file.

    Raises:
        CheckpointError: A part is missing, as in a best or a published
            checkpoint.
    """
    held = list(checkpoint) if isinstance(checkpoint, dict) else []
    missing = [key for key in RESUME_KEYS if key not in held]
    if missing:
        raise CheckpointError(
            f'{name} can not be resumed from: it lacks {missing}, as best and '
            f'published checkpoints do. Needed are {list(RESUME_KEYS)}. '
            'Resume from an epoch_*.pth or iter_*.pth of the run, or start '
            'from these weights with load_from.')


def _number(path: Path) -> int:
    match = _NUMBERED.fullmatch(path.name)
    return int(match.group(1)) if match else -1


def _last_saved(work_dir: Path) -> Path | None:
    pointer = work_dir / 'last_checkpoint'
    if not pointer.is_file():
        return None
    text = pointer.read_text(errors='replace').strip()
    if not text or '\0' in text:
        return None
    # A work dir that was copied, moved or renamed holds its own files: what
    # the original did since is not this run's.
    own = work_dir / Path(text).name
    outside = Path(text).is_file() and not any(work_dir.glob('*_*.pth'))
    return Path(text) if outside else own


def checkpoint_candidates(work_dir: str | os.PathLike) -> list[Path]:
    """List what a run may continue from, the newest first.

    What ``last_checkpoint`` names comes first, then the files before it, in
    descending order. Files after it are left out: they belong to an earlier
    run in the same folder, or were never announced.

    Args:
        work_dir (str | PathLike): The work dir of the run.

    Returns:
        list[Path]: Existing files, best and published ones left out.
    """
    work_dir = Path(work_dir).absolute()
    last = _last_saved(work_dir)
    folder = last.parent if last is not None else work_dir
    numbered = [
        path for path in folder.glob('*.pth')
        if _number(path) >= 0 and not path.name.startswith('best_')]
    numbered.sort(key=_number, reverse=True)
    if last is None:
        return numbered
    if _number(last) >= 0:
        numbered = [p for p in numbered if _number(p) < _number(last)]
    return [path for path in (last, *numbered) if path.is_file()]


def find_resumable_checkpoint(work_dir: str | os.PathLike) -> Path | None:
    """Find the newest complete checkpoint of a run.

    A truncated or damaged file is refused by name in the log and the one
    before it is tried.

    Args:
        work_dir (str | PathLike): The work dir of the run.

    Returns:
        Path | None: The file to resume from; None where the run has saved
        none yet and starts at the beginning.

    Raises:
        CheckpointError: There are checkpoints, but none is complete.

    Example:
        >>> path = find_resumable_checkpoint(cfg.work_dir)
        >>> if path is not None:
        ...     cfg.resume, cfg.load_from = True, str(path)
    """
    candidates = checkpoint_candidates(work_dir)
    for path in candidates:
        try:
            verify_checkpoint(path)
        except CheckpointError as error:
            print_log(
                f'Refused {path}: {error} Trying the checkpoint before it.',
                logger='current',
                level=logging.WARNING)
        else:
            return path
    if candidates:
        names = ', '.join(path.name for path in candidates)
        raise CheckpointError(
            f'None of the checkpoints in {work_dir} is complete: {names}. '
            'Restore one of them, or delete them all to start the run from '
            'the beginning.')
    return None


__all__ = [
    'checkpoint_candidates', 'find_resumable_checkpoint', 'require_resumable',
    'verify_checkpoint'
]
