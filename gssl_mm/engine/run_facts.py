"""What a result has to say about how it came about."""
import hashlib
import json
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

import gssl_mm

_PACKAGES = ('torch', 'torchvision', 'numpy', 'onedl-mmengine', 'mmengine',
             'onedl-mmcv', 'mmcv', 'onedl-mmpretrain', 'mmpretrain')
# Where and how a run was started does not change what it computes.
_NOT_HASHED = ('work_dir', 'resume', 'load_from', 'launcher', 'log_level',
               'env_cfg', 'default_scope', 'visualizer', 'vis_backends',
               'randomness', 'model_wrapper_cfg', 'result_label')


def config_sha(cfg: Config) -> str:
    """Hash the resolved config, apart from the seed and the place.

    Args:
        cfg (Config): The config of a run.

    Returns:
        str: SHA-256 in hexadecimal, equal for the seeds of one recipe.
    """
    content = {k: v for k, v in cfg.to_dict().items() if k not in _NOT_HASHED}
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _git(*words: str) -> str | None:
    folder = Path(gssl_mm.__file__).parent
    try:
        done = subprocess.run(
            ['git', '-C', str(folder), *words],
            capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def git_commit() -> str | None:
    """Commit of the clone that this package runs from.

    Returns:
        str | None: The commit; None where the package is installed and the
        repository around it, if any, is another one's.
    """
    if _git('ls-files', '--error-unmatch', '__init__.py') is None:
        return None
    return _git('rev-parse', 'HEAD')


def versions() -> dict[str, str]:
    """Versions of Python, this package and the libraries below it."""
    found = dict(
        python=platform.python_version(), gssl_mm=gssl_mm.__version__)
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _cpu_name() -> str:
    try:
        with open('/proc/cpuinfo') as lines:
            for line in lines:
                if line.startswith('model name'):
                    return line.split(':', 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def hardware() -> dict[str, Any]:
    """Processor, threads and the GPUs that the run could use."""
    gpus = [torch.cuda.get_device_name(index)
            for index in range(torch.cuda.device_count())]
    return dict(
        cpu=_cpu_name(),
        cpu_count=os.cpu_count(),
        threads=torch.get_num_threads(),
        gpu=gpus[0] if gpus else None,
        gpu_count=len(gpus))


def describe_dataset(dataset: Any) -> dict[str, Any]:
    """Name the training data: type, folder, size and imbalance.

    Args:
        dataset (Dataset): The built dataset, maybe inside wrappers.

    Returns:
        dict: ``type``, ``root``, ``num_train``, ``imbalance``, which is None
        for data without class counts, and the ``split`` of those that keep the
        labelled part alone.
    """
    chain = [dataset]
    while getattr(chain[-1], 'dataset', None) is not None:
        chain.append(chain[-1].dataset)
    root = _first(chain, 'data_root') or _first(chain, 'data_prefix')
    if isinstance(root, dict):
        root = next(iter(root.values()), None)
    counts = _first(chain, 'class_counts')
    imbalance = None if counts is None else dict(
        ratio=_first(chain, 'imbalance_ratio'),
        profile=_first(chain, 'profile'),
        most=int(max(counts)),
        least=int(min(counts)))
    facts = dict(
        type=' of '.join(type(part).__name__ for part in chain),
        root=Path(root).name if isinstance(root, str) and root else None,
        num_train=len(dataset),
        imbalance=imbalance)
    # Where it is a word it names the official part that was read
    split = getattr(_first(chain, 'split'), 'facts', None)
    return facts if split is None else dict(facts, split=split)


def _first(chain: list, name: str) -> Any:
    for part in chain:
        value = getattr(part, name, None)
        if value is not None:
            return value
    return None


__all__ = [
    'config_sha', 'describe_dataset', 'git_commit', 'hardware', 'versions'
]
