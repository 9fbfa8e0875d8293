"""What a result has to say about how it came about."""
import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

import gssl_mm

_PACKAGES = ('torch', 'torchvision', 'numpy', 'onedl-mmengine', 'mmengine',
             'onedl-mmcv', 'mmcv', 'onedl-mmpretrain', 'mmpretrain')
# Where and how a run was started or watched does not change what it computes.
_NOT_HASHED = frozenset({
    'work_dir', 'resume', 'load_from', 'launcher', 'log_level', 'env_cfg',
    'default_scope', 'default_hooks', 'log_processor', 'visualizer',
    'vis_backends', 'randomness', 'model_wrapper_cfg', 'result_label',
    'cfg_options', 'val_cfg', 'val_dataloader', 'val_evaluator', 'test_cfg',
    'test_dataloader', 'test_evaluator', 'tta_model', 'tta_pipeline'
})
_PLACES = frozenset({
    'data_root', 'download', 'cache', 'cache_dir', 'cache_workers',
    'rebuild_stale', 'checkpoint', 'verify_md5', 'num_workers',
    'persistent_workers', 'pin_memory', 'prefetch_factor'
})
_WATCHING = frozenset({'val_interval', 'val_begin', 'log_agreement'})


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_places(v) for k, v in value.items()
                if k not in _PLACES | _WATCHING}
    if isinstance(value, list | tuple):
        return [_without_places(item) for item in value]
    return value


def config_sha(cfg: Config) -> str:
    """Hash what decides the weights: all but the seed, places and watching.

    Hooks of ``default_hooks``, the number of processes, folders, files of
    initial weights, evaluations and logs are left out.

    Args:
        cfg (Config): The config of a run.

    Returns:
        str: SHA-256 in hexadecimal, equal for the seeds of one recipe.
    """
    content = _without_places({
        k: v for k, v in cfg.to_dict().items() if k not in _NOT_HASHED})
    if content.get('total_batch_size'):
        # The share of a process
        (content.get('train_dataloader') or {}).pop('batch_size', None)
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def recipe_options(options: Iterable[str]) -> list[str]:
    """Options of the command line, without those that name a place.

    Args:
        options (Iterable[str]): ``'key=value'``, as the train tool keeps them.

    Returns:
        list[str]: Sorted; folders, loader processes, the seed and the label
        have fields of their own or differ between machines.
    """
    left_out = _PLACES | {'work_dir', 'seed', 'result_label'}
    return sorted(option for option in options if
                  option.split('=')[0].split('.')[-1] not in left_out)


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
    """Processor, its vector instructions, threads and usable GPUs."""
    gpus = [torch.cuda.get_device_name(index)
            for index in range(torch.cuda.device_count())]
    return dict(
        cpu=_cpu_name(),
        # Names of processors do not tell: 'AMD EPYC' has AVX512, or has not
        cpu_capability=torch.backends.cpu.get_cpu_capability(),
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
    'config_sha', 'describe_dataset', 'git_commit', 'hardware',
    'recipe_options', 'versions'
]
