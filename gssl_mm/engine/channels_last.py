"""Weights in the memory order of channels-last images."""
import torch
from mmengine.model import MMDistributedDataParallel
from mmengine.registry import MODEL_WRAPPERS
from torch import nn


def convert_to_channels_last(model: nn.Module) -> nn.Module:
    """Store the four-dimensional weights of a model channels-last, in place.

    Values, names and checkpoints are unchanged; weights that are loaded later
    keep the order.

    Args:
        model (nn.Module): A model that no wrapper has bucketed yet.

    Returns:
        nn.Module: The same model.
    """
    return model.to(memory_format=torch.channels_last)


@MODEL_WRAPPERS.register_module()
class ChannelsLastDDP(MMDistributedDataParallel):
    """The host's wrapper around a model whose weights are channels-last.

    Gradient buckets take the memory order that the weights have when they are
    wrapped. Weights converted afterwards make every step copy and warn, so that
    here the conversion comes first.

    Note:
        The Runner looks wrappers up in mmengine's own node, which a name with
        our prefix does not reach; this one is registered there, without it.
        ``import gssl_mm.engine`` before the Runner is built, as the tools do.

    Args:
        module (nn.Module): The model.
        **kwargs: As :class:`mmengine.model.MMDistributedDataParallel`.

    Example:
        >>> model_wrapper_cfg = dict(
        ...     type='ChannelsLastDDP', broadcast_buffers=False)
    """

    def __init__(self, module: nn.Module, **kwargs) -> None:
        super().__init__(module=convert_to_channels_last(module), **kwargs)


__all__ = ['ChannelsLastDDP', 'convert_to_channels_last']
