"""Put a model into the state that an attack needs, and back."""
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def attack_mode(model: nn.Module,
                training: bool | None = None) -> Iterator[nn.Module]:
    """Freeze the parameters of a model and set its mode, for a while.

    Without ``requires_grad`` no gradient of a weight is computed and nothing
    is kept in memory for one. Every module's mode and every parameter's flag
    is what it was when the context is left, also by an exception.

    Args:
        model (nn.Module): The model under attack.
        training (bool, optional): Mode during the attack: True for batch
            statistics, False for running ones. Defaults to None, as it is.

    Yields:
        nn.Module: The same model.
    """
    flags = [(param, param.requires_grad) for param in model.parameters()]
    modes = [(module, module.training) for module in model.modules()]
    try:
        for param, _ in flags:
            param.requires_grad_(False)
        if training is not None:
            model.train(training)
        yield model
    finally:
        for module, mode in modes:
            module.training = mode
        for param, flag in flags:
            param.requires_grad_(flag)
