"""The head that classifies, alone or inside a head with pretext tasks."""
from mmpretrain.structures import DataSample
from torch import nn

from ..utils.precision import float32_region


def primary_head(model: nn.Module) -> nn.Module:
    """Return the head of a classifier, without its pretext tasks.

    Args:
        model (nn.Module): With a ``head``, for instance an ``ImageClassifier``.
    """
    return getattr(model.head, 'primary', model.head)


def classification_loss(head: nn.Module, feats: tuple,
                        data_samples: list[DataSample], **kwargs) -> dict:
    """Return the loss of a head without its pretext tasks, as ``loss_cls``.

    Args:
        head (nn.Module): A classification head, or one around it.
        feats (tuple): Features in the type of the head's weights.
        data_samples (list[DataSample]): With the labels.
        **kwargs: Of the loss.
    """
    if hasattr(head, 'primary'):
        head, feats = head.primary, head.for_primary(feats)
    with float32_region(feats[-1].device):
        losses = head.loss(feats, data_samples, **kwargs)
    if 'loss' in losses:
        losses = {'loss_cls': losses.pop('loss'), **losses}
    return losses


__all__ = ['classification_loss', 'primary_head']
