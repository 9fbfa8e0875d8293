"""Batch norm that normalises a batch without remembering it."""
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def keep_running_stats(*modules: nn.Module | None) -> Iterator[None]:
    """Run batch norm on batch statistics, with its running ones untouched.

    For the passes of unlabelled images in the baselines of FixMatch, where the
    running statistics are those of labelled batches alone. Layers in
    evaluation mode are left as they are.

    Args:
        *modules (nn.Module, optional): Networks; None is skipped.
    """
    layers = [layer for module in modules if module is not None
              for layer in module.modules()
              if isinstance(layer, _BatchNorm) and layer.training
              and layer.track_running_stats]
    try:
        for layer in layers:
            layer.track_running_stats = False
        yield
    finally:
        for layer in layers:
            layer.track_running_stats = True


__all__ = ['keep_running_stats']
