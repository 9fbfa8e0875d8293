"""Parts of a model that stay in float32 under autocast."""
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn


def float32_region(device: torch.device) -> AbstractContextManager:
    """Return a context in which autocast is off on ``device``.

    LDAM's logits are scaled to +-30, where bfloat16 has steps of 0.125: heads,
    gates and losses are computed in float32. Cast their inputs to the type of
    the weights inside.
    """
    if torch.is_autocast_enabled(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


def at_least_float32(values: Tensor) -> Tensor:
    """Return float64 as it is, and anything else as float32."""
    return values if values.dtype == torch.float64 else values.float()


def as_weights(module: nn.Module, feats: tuple) -> tuple[Tensor, ...]:
    """Cast features to the type of a module's weights, float32 as a rule."""
    dtype = next(module.parameters()).dtype
    return tuple(feat.to(dtype) for feat in feats)


def pooled_feature(feats: tuple | Tensor) -> Tensor:
    """Return the plain pooled feature ``(N, D)`` of the last stage.

    Args:
        feats (tuple | Tensor): What a neck returned. Necks that mask features
            give ``(N, M, D)``, of which index 0 is the unmasked one.

    Raises:
        ValueError: If the last item is not ``(N, D)`` or ``(N, M, D)``.
    """
    feat = feats[-1] if isinstance(feats, tuple | list) else feats
    if feat.ndim == 3:
        feat = feat[:, 0]
    if feat.ndim != 2:
        raise ValueError(
            'a classification head needs pooled features (N, D), but got '
            f"{tuple(feat.shape)}. Add neck=dict(type='GlobalAveragePooling')")
    return feat
