"""Checkpoints for others: the plain classifier's weights and its config."""
import copy
import hashlib
import io
import os
from pathlib import Path
from typing import NamedTuple

import mmpretrain
import torch
from mmengine.config import Config
from mmpretrain.models import ImageClassifier
from mmpretrain.registry import MODELS

from gssl_mm.atomic_io import atomic_write
from gssl_mm.engine import safe_load
from gssl_mm.engine.hooks.checkpoint_check_hook import CheckpointCheckHook
from gssl_mm.version import __version__

from .plain_classifier import (
    chosen_inference,
    load_plain,
    plain_model_cfg,
    plain_state_dict,
)
from .plain_config import plain_config
from .same_logits import check_same_logits, input_size, set_inference

HASH_DIGITS = 8


class PlainClassifier(NamedTuple):
    """What :func:`to_plain_classifier` returns."""

    model: ImageClassifier
    config: Config
    meta: dict
    difference: float


class Published(NamedTuple):
    """What :func:`publish_model` returns."""

    weights: Path
    config: Path
    difference: float
    ema: bool


def pick_weights(checkpoint: dict, ema: bool = True) -> tuple[dict, bool]:
    """Weights of a checkpoint, averaged ones where there are some.

    The host's ``EMAHook`` saves averaged weights as ``state_dict`` and those
    that were trained as ``ema_state_dict``.

    Args:
        checkpoint (dict): Its content; not modified.
        ema (bool): False takes the trained ones. Defaults to True.

    Returns:
        tuple[dict, bool]: The weights, and whether they are averages.
    """
    state = dict(checkpoint.get('state_dict', checkpoint))
    other = checkpoint.get('ema_state_dict')
    if other is None or ema:
        return state, other is not None
    state.update((key.removeprefix('module.'), value)
                 for key, value in other.items() if key.startswith('module.'))
    return state, False


def build_whole_model(cfg: Config, checkpoint: str | os.PathLike,
                      ema: bool = True) -> tuple[ImageClassifier, dict]:
    """Build a config's model with the weights of a checkpoint.

    Args:
        cfg (Config): Its ``model`` gets the data preprocessor.
        checkpoint (str | PathLike): A local file.
        ema (bool): As :func:`pick_weights`.

    Returns:
        tuple: The model in evaluation mode, and the checkpoint's ``meta`` with
        ``ema`` added.

    Raises:
        ArchitectureMismatchError: The checkpoint belongs to another model.
        CheckpointError: The file is no checkpoint.
    """
    cfg.model.setdefault('data_preprocessor', cfg.get('data_preprocessor'))
    model = MODELS.build(cfg.model)
    content = safe_load(checkpoint, map_location='cpu')
    checker = CheckpointCheckHook()
    checker.check_tested(model, content, str(checkpoint))
    state, averaged = pick_weights(content, ema)
    model.load_state_dict(state, strict=False)
    return model.eval(), dict(content.get('meta') or {}, ema=averaged)


def to_plain_classifier(cfg: Config, checkpoint: str | os.PathLike,
                        inference: str | None = None,
                        ema: bool = True) -> PlainClassifier:
    """Take the plain classifier out of a trained model, and compare both.

    Args:
        cfg (Config): What the checkpoint was trained with; not modified.
        checkpoint (str | PathLike): A local file.
        inference (str, optional): Of joint labels: ``'single'``,
            ``'aggregated'`` or ``'distilled'``. Defaults to None, what the
            config says.
        ema (bool): Take averaged weights where there are some. Defaults to
            True.

    Raises:
        PublishError: There is no plain classifier of equal logits.
        ArchitectureMismatchError: The checkpoint belongs to another model.
    """
    cfg = copy.deepcopy(cfg)
    whole, meta = build_whole_model(cfg, checkpoint, ema)
    inference = chosen_inference(whole, inference)
    set_inference(whole, inference)
    model_cfg, preprocessor = plain_model_cfg(cfg.model, whole, inference)
    plain = load_plain(model_cfg, preprocessor, plain_state_dict(
        whole.state_dict(), whole, inference))
    difference = check_same_logits(whole, plain, input_size(cfg))
    config = plain_config(cfg, model_cfg, preprocessor)
    source = Path(cfg.filename).name if cfg.filename else None
    meta = dict(
        dataset_meta=dict(meta.get('dataset_meta') or {}),
        trained_with=source, epoch=meta.get('epoch'), ema=meta['ema'],
        inference=inference, mmpretrain_version=mmpretrain.__version__,
        gssl_mm_version=__version__)
    return PlainClassifier(plain, config, meta, difference)


def _file_bytes(content: dict) -> bytes:
    """Equal bytes for equal content, whatever the file is called."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def publish_model(cfg: Config, in_file: str | os.PathLike,
                  out_file: str | os.PathLike, inference: str | None = None,
                  ema: bool = True) -> Published:
    """Write the plain classifier's weights, and its config beside them.

    Pretext heads, gate, attack, optimizer and logs are dropped. The name gets
    the first 8 digits of the file's SHA-256, as torch.hub checks it; the same
    checkpoint gives the same name.

    Args:
        cfg (Config): What the checkpoint was trained with.
        in_file (str | PathLike): The checkpoint.
        out_file (str | PathLike): Folder and stem of the new files.
        inference (str, optional): As :func:`to_plain_classifier`.
        ema (bool): As :func:`to_plain_classifier`.

    Returns:
        Published: Both files, the largest difference of logits between both
        models on noise, and whether averaged weights were taken.
    """
    plain = to_plain_classifier(cfg, in_file, inference, ema)
    data = _file_bytes(dict(
        meta=plain.meta, state_dict=plain.model.state_dict()))
    out_file = Path(out_file)
    stem = out_file.name.removesuffix('.pth')
    digest = hashlib.sha256(data).hexdigest()[:HASH_DIGITS]
    weights = out_file.with_name(f'{stem}-{digest}.pth')
    config = weights.with_suffix('.py')
    atomic_write(weights, data)
    text = (f'"""Plain classifier of {plain.meta["trained_with"]}; its weights '
            f'are {weights.name}."""\n{plain.config.pretty_text}')
    atomic_write(config, text.encode())
    return Published(weights, config, plain.difference, plain.meta['ema'])


__all__ = [
    'PlainClassifier', 'Published', 'build_whole_model', 'pick_weights',
    'publish_model', 'to_plain_classifier'
]
