"""Models by name or by config, with weights that are checked."""
import difflib
import os
from pathlib import Path
from typing import Any

import mmpretrain
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader
from mmpretrain.apis.model import ModelHub
from mmpretrain.models import ImageClassifier

import gssl_mm.engine  # noqa: F401  checkpoints are read as data
from gssl_mm.engine.hooks.checkpoint_check_hook import CheckpointCheckHook
from gssl_mm.tooling.config_file import PACKAGE_PREFIX, read_config
from gssl_mm.tooling.errors import CheckpointFileError, UnknownModelError

from .model_hub import register_models


def _is_file_name(name: str) -> bool:
    return name.startswith(PACKAGE_PREFIX) or Path(name).suffix == '.py'


def find_config(model: str | os.PathLike | Config) -> tuple[Config, Any]:
    """Config of a name, a path or a config; with the hub's entry of a name.

    Raises:
        UnknownModelError: No model has this name.
        ConfigFileError: There is no such config file.
    """
    if isinstance(model, Config):
        return model.copy(), None
    name = os.fspath(model)
    if _is_file_name(name):
        return read_config(name), None
    names = register_models()
    ModelHub._register_mmpretrain_models()
    if not ModelHub.has(name.lower()):
        near = difflib.get_close_matches(name.lower(), names, 3, 0.4)
        hint = f' Did you mean {" or ".join(near)}?' if near else ''
        raise UnknownModelError(
            f'there is no model {name!r}.{hint} gssl_mm.list_models() returns '
            'the names; a config is given as a path that ends in .py.')
    entry = ModelHub.get(name)
    return entry.config, entry


def _find_weights(pretrained: str | bool, cfg: Config, entry: Any,
                  model: Any) -> str | None:
    if pretrained is not True:
        return os.fspath(pretrained) if pretrained else None
    found = entry.weights if entry is not None else cfg.get('load_from')
    if not found:
        raise CheckpointFileError(
            f'{model if entry else "the config"} comes without weights. Give '
            'the path of a checkpoint instead of True.')
    return found


def _load(model: torch.nn.Module, weights: str) -> dict:
    """Load weights that fit; returns what the checkpoint says of its data."""
    if '://' not in weights and not Path(weights).is_file():
        raise CheckpointFileError(f'{weights}: there is no such checkpoint.')
    checkpoint = CheckpointLoader.load_checkpoint(
        weights, 'cpu', logger='silent')
    CheckpointCheckHook().check_tested(model, checkpoint, weights)
    model.load_state_dict(
        checkpoint.get('state_dict', checkpoint), strict=False)
    return (checkpoint.get('meta') or {}).get('dataset_meta') or {}


def get_model(model: str | os.PathLike | Config,
              pretrained: str | os.PathLike | bool = False,
              device: str | torch.device | None = None,
              **kwargs) -> ImageClassifier:
    """Build a model by name or config, with the weights of a checkpoint.

    As the host's function of this name, which knows the names of this package
    after ``import gssl_mm.apis``, with two differences: a checkpoint that does
    not fit is an error, and nothing of a checkpoint is run as code. The host's
    inferencers take what it returns.

    Args:
        model (str | PathLike | Config): A name that ``list_models`` returns,
            the path of a config, ``gssl_mm::gssl/NAME.py`` for a config of
            the installed package, or a config.
        pretrained (str | PathLike | bool): A checkpoint; True for the weights
            that come with a name. Defaults to False, none.
        device (str | torch.device, optional): Defaults to None, the CPU.
        **kwargs: Changes of the model's config.

    Returns:
        ImageClassifier: In evaluation mode.

    Raises:
        UnknownModelError: No model has this name.
        ConfigFileError: There is no such config, or it can't be read.
        CheckpointFileError: There is no such checkpoint, or no weights come
            with the model.
        ArchitectureMismatchError: The checkpoint belongs to another model.

    Example:
        >>> import gssl_mm
        >>> model = gssl_mm.get_model('gssl_mm::gssl/resnet32_cifar10lt.py')
        >>> model(torch.rand(1, 3, 32, 32)).shape
        torch.Size([1, 10])
    """
    cfg, entry = find_config(model)
    weights = _find_weights(pretrained, cfg, entry, model)
    built = mmpretrain.get_model(cfg, pretrained=False, device=None, **kwargs)
    if weights is not None:
        built._dataset_meta = _load(built, weights) or built._dataset_meta
    built._metainfo = entry
    return built.to(device) if device is not None else built


__all__ = ['find_config', 'get_model']
