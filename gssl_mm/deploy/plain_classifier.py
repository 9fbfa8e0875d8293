"""The plain classifier inside a model: what is deployed."""
import copy

from mmpretrain.models import ImageClassifier
from mmpretrain.models.utils.data_preprocessor import ClsDataPreprocessor
from torch import Tensor, nn

from gssl_mm.models.heads import (
    GatedMultiTaskHead,
    JointLabelHead,
    primary_head,
    to_plain_state_dict,
)
from gssl_mm.models.heads.joint_export import EXPORTS
from gssl_mm.registry import MODELS

from .errors import PublishError

KEPT = ('backbone', 'neck', 'head')
PREPROCESSOR_KEYS = (
    'mean', 'std', 'to_rgb', 'pad_size_divisor', 'pad_value', 'to_onehot',
    'num_classes')
OWN_LOSS = 'gssl_mm.'
# Parts of a head that exist for training alone
TRAINING_ONLY = ('.loss_module.', '.student.', '.student_loss.')


def chosen_inference(model: nn.Module, inference: str | None) -> str | None:
    """Which inference of joint labels to deploy; None without such labels.

    Args:
        model (ImageClassifier): Any.
        inference (str, optional): What was asked for; None for what the
            model's config says.

    Raises:
        PublishError: The model has no such inference.
    """
    head = primary_head(model)
    modes = head.modes if isinstance(head, JointLabelHead) else ()
    if inference is not None and inference not in modes:
        raise PublishError(
            f'the model has no inference {inference!r}: '
            + (f'expected one of {modes}.' if modes else
               'only a JointLabelHead offers a choice. Leave --inference out.'))
    return inference or getattr(head, 'inference', None)


def _last_map(cfg: dict) -> dict:
    """Backbone that returns only the map which the joint head reads last."""
    backbone, stages = cfg['backbone'], cfg['neck'].get('stages')
    while 'backbone' in backbone:
        backbone = backbone['backbone']
    taps = backbone.get('out_indices')
    if isinstance(taps, list | tuple):
        backbone['out_indices'] = (taps[stages[-1] if stages else -1], )
    return backbone


def _plain_head(head: JointLabelHead) -> dict:
    cfg = dict(num_classes=head.num_classes, in_channels=head.in_channels[-1])
    if head.kind == 'cosine':
        return dict(type='gssl_mm.CosineClsHead', scale=head.scale, **cfg)
    return dict(type='LinearClsHead', **cfg)


def _head_cfg(cfg: dict, model: nn.Module) -> dict:
    """The primary head's config, without a loss of training alone."""
    head = cfg['head']
    if isinstance(model.head, GatedMultiTaskHead):
        head = head['primary']
    loss = head.get('loss')
    if loss and str(loss.get('type')).startswith(OWN_LOSS):
        head.pop('loss')
    return head


def _preprocessor_cfg(cfg: dict, model: nn.Module) -> dict:
    """Normalisation alone; of an adversarial model that of its network."""
    if not isinstance(model.data_preprocessor, ClsDataPreprocessor):
        return cfg
    cfg = {key: cfg[key] for key in PREPROCESSOR_KEYS if key in cfg}
    if hasattr(model, 'plain_preprocessor'):
        cfg.update(model.plain_preprocessor())
    return dict(type='ClsDataPreprocessor', **cfg)


def plain_model_cfg(cfg: dict, model: nn.Module,
                    inference: str | None = None) -> tuple[dict, dict]:
    """Config of the plain ``ImageClassifier`` in a model.

    Pretext heads, gate, attack, losses and augmentation of this package are
    left out. Joint labels become a ``LinearClsHead`` or a ``CosineClsHead``,
    except for aggregated inference, which needs the masked features.

    Args:
        cfg (dict): Config of the model, with its data preprocessor; not
            modified.
        model (ImageClassifier): Built from it.
        inference (str, optional): ``'single'``, ``'aggregated'`` or
            ``'distilled'``. Defaults to None, what the config says.

    Returns:
        tuple[dict, dict]: Config of the classifier without, and that of its
        data preprocessor.

    Raises:
        PublishError: The model is no ``ImageClassifier``, or has no such
            inference.
    """
    if not isinstance(model, ImageClassifier):
        raise PublishError(
            f'expected an ImageClassifier, but the config builds a '
            f'{type(model).__name__}: there is nothing to classify with.')
    inference = chosen_inference(model, inference)
    cfg = copy.deepcopy(dict(cfg))
    plain = {'type': 'ImageClassifier'}
    plain.update((key, cfg[key]) for key in KEPT if cfg.get(key) is not None)
    plain['head'] = _head_cfg(cfg, model)
    if inference in EXPORTS:
        plain['backbone'] = _last_map(cfg)
        plain['neck'] = dict(type='GlobalAveragePooling')
        plain['head'] = _plain_head(primary_head(model))
    elif inference is not None:
        plain['head'].update(inference=inference)
    for part in plain.values():
        if isinstance(part, dict):
            part.pop('init_cfg', None)
    return plain, _preprocessor_cfg(cfg['data_preprocessor'], model)


def plain_state_dict(state_dict: dict, model: nn.Module,
                     inference: str | None = None) -> dict[str, Tensor]:
    """Weights of the plain classifier out of a model's.

    Args:
        state_dict (dict): Of ``model``; not modified.
        model (ImageClassifier): The whole model.
        inference (str, optional): As :func:`plain_model_cfg`.
    """
    inference = chosen_inference(model, inference)
    if inference in EXPORTS:
        return to_plain_state_dict(state_dict, inference)
    if not isinstance(model.head, GatedMultiTaskHead):
        return dict(state_dict)
    return {
        key.replace('head.primary.', 'head.', 1): value
        for key, value in state_dict.items()
        if not key.startswith(('head.task_heads.', 'head.gate.'))}


def load_plain(model_cfg: dict, preprocessor: dict,
               state_dict: dict) -> ImageClassifier:
    """Build a plain classifier and fill it.

    Args:
        model_cfg (dict): As :func:`plain_model_cfg` returns it.
        preprocessor (dict): As :func:`plain_model_cfg` returns it.
        state_dict (dict): As :func:`plain_state_dict` returns it. What
            serves training alone is left out.

    Raises:
        PublishError: Names or shapes differ.
    """
    plain = MODELS.build(dict(
        copy.deepcopy(model_cfg), data_preprocessor=dict(preprocessor)))
    own = plain.state_dict()
    kept = {key: value.detach().cpu().contiguous().clone()
            for key, value in state_dict.items()
            if key in own or not any(part in key for part in TRAINING_ONLY)}
    try:
        plain.load_state_dict(kept)
    except RuntimeError as error:
        raise PublishError(
            f'the weights do not fit the plain classifier: {error}') from error
    return plain.eval()


__all__ = [
    'chosen_inference', 'load_plain', 'plain_model_cfg', 'plain_state_dict'
]
