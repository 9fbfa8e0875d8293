"""The head that classifies, alone or inside a head with pretext tasks."""
from torch import nn


def primary_head(model: nn.Module) -> nn.Module:
    """Return the head of a classifier, without its pretext tasks.

    Args:
        model (nn.Module): With a ``head``, for instance an ``ImageClassifier``.
    """
    return getattr(model.head, 'primary', model.head)


__all__ = ['primary_head']
