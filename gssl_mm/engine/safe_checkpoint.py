"""Checkpoints are read as data: a file from a stranger runs no code.

Importing this module replaces the host's checkpoint loaders, which fall back
to an unrestricted unpickler, for every kind of address.
"""
import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlparse

import torch
import torch.distributed
from mmengine.dist import get_dist_info
from mmengine.fileio import get_file_backend
from mmengine.runner import CheckpointLoader
from mmengine.runner import checkpoint as host

from .errors import CheckpointError
from .plain_unpickle import ALLOW_LIST, RefusedContentError, replace_arrays

_LIMIT = 300
_NAMES_CODE = re.compile(
    r'GLOBAL (\S+)|unrecognized function (.*)|(TorchScript) archive')
_FROM_UNPICKLER = re.compile(r'WeightsUnpickler error: (.+)')


def _cause(error: Exception) -> str:
    found = _FROM_UNPICKLER.search(str(error))
    text = found.group(1) if found else str(error).split('. ')[0]
    return text.strip().rstrip('.')[:_LIMIT] or type(error).__name__


def _explain(name: str, error: Exception) -> CheckpointError:
    code = _NAMES_CODE.search(str(error))
    if code is not None or isinstance(error, RefusedContentError):
        what = next(filter(None, code.groups())) if code else _cause(error)
        return CheckpointError(
            f'{name} holds what is not data: {what}. A checkpoint may hold '
            'tensors, numbers, strings, plain containers and log histories '
            'alone; nothing was run. Ask its author for a weights-only file, '
            'or convert it yourself if you trust them.')
    return CheckpointError(
        f'{name} is truncated or not a checkpoint: {_cause(error)}. '
        'Expected a complete file written by torch.save. Use an earlier '
        'checkpoint or fetch the file again.')


def safe_load(file: str | os.PathLike | io.BytesIO,
              map_location: str | Callable | None = None,
              name: str | None = None):
    """Read a checkpoint without the ability to run what it names.

    Args:
        file (str | PathLike | BytesIO): A local file or its bytes.
        map_location (str | Callable, optional): As :func:`torch.load`.
            Defaults to None.
        name (str, optional): What errors call the file. Defaults to its path.

    Returns:
        dict: The checkpoint.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: The file is truncated, is no checkpoint, or names
            code that it wants to run. Nothing of it was run.
    """
    if not isinstance(file, io.BytesIO):
        file = Path(file).expanduser()
        if not file.is_file():
            raise FileNotFoundError(
                f'There is no checkpoint {file}. Check the path; a run keeps '
                'its checkpoints in its work dir.')
    name = str(name or file)
    try:
        with torch.serialization.safe_globals(ALLOW_LIST):
            return replace_arrays(
                torch.load(
                    file, map_location=map_location, weights_only=True))
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # a hostile file may fail in any way
        raise _explain(name, error) from error


def written_last(folder: Path, pattern: str) -> Path | None:
    """The file of a folder written last whose name matches a pattern."""
    return max(folder.glob(pattern), key=os.path.getmtime, default=None)


def newest_match(pattern: str) -> str:
    """The file that a path means in whose name ``*`` is any letters.

    Args:
        pattern (str): A path, such as ``work_dirs/a/best_*.pth``.

    Returns:
        str: The match that was written last; a path without ``*``, or of a
        file that has one in its name, as it is.

    Raises:
        FileNotFoundError: Nothing matches.
    """
    path = Path(pattern).expanduser()
    if '*' not in path.name or path.exists():
        return pattern
    found = written_last(path.parent, path.name)
    if found is None:
        raise FileNotFoundError(
            f'No checkpoint matches {pattern}. Train the run that writes it '
            'first, or check the path.')
    return str(found)


def load_from_local(filename: str, map_location=None):
    """Load a checkpoint of this machine, the newest that matches a ``*``."""
    return safe_load(newest_match(filename), map_location)


def load_from_http(filename: str, map_location=None, model_dir=None):
    """Download a checkpoint once a machine, then read it as data."""
    folder = Path(model_dir or Path(torch.hub.get_dir()) / 'checkpoints')
    path = folder / Path(urlparse(filename).path).name
    rank, world_size = get_dist_info()
    if rank == 0 and not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(filename, str(path), progress=False)
    if world_size > 1:
        torch.distributed.barrier()
    return safe_load(path, map_location, f'{filename} (stored as {path})')


def load_from_store(filename: str, map_location=None, backend='petrel'):
    """Load a checkpoint from an object store known to the host."""
    store = get_file_backend(filename, backend_args=dict(backend=backend))
    return safe_load(io.BytesIO(store.get(filename)), map_location, filename)


def load_from_zoo(filename: str, map_location=None):
    """Load a checkpoint that one of the host's tables of models names."""
    scheme, name = filename.split('://', 1)
    if scheme in ('modelzoo', 'torchvision'):
        address = host.get_torchvision_models()[name]
    elif scheme == 'mmcls':
        address = host.get_mmcls_models()[name]
    else:
        name = host.get_deprecated_model_names().get(name, name)
        address = host.get_external_models()[name]
    if not address.startswith(('http://', 'https://')):
        address = os.path.join(host._get_mmengine_home(), address)
        return safe_load(address, map_location)
    checkpoint = load_from_http(address, map_location)
    if scheme == 'mmcls':
        checkpoint = host._process_mmcls_checkpoint(checkpoint)
    return checkpoint


def refuse_scheme(filename: str, map_location=None):
    """Refuse an address whose client library would unpickle freely."""
    raise CheckpointError(
        f'{filename} can not be read as data alone. Allowed are local paths, '
        'http(s)://, s3://, torchvision:// and openmmlab://. Download the '
        'file and name its path.')


def register_safe_loaders() -> None:
    """Make the host read every kind of checkpoint address as data."""
    register = CheckpointLoader.register_scheme
    register('', load_from_local, force=True)
    register(('http://', 'https://'), load_from_http, force=True)
    register((r'(\S+\:)?s3://', r'(\S+\:)?petrel://'),
             load_from_store, force=True)
    register(('modelzoo://', 'torchvision://', 'open-mmlab://',
              'openmmlab://', 'mmcls://'), load_from_zoo, force=True)
    register('pavi://', refuse_scheme, force=True)


register_safe_loaders()

__all__ = [
    'newest_match', 'register_safe_loaders', 'safe_load', 'written_last'
]
