"""Gradients that a checkpoint meets between two optimizer steps."""
from mmengine.dist import get_world_size
from mmengine.model import is_model_wrapper
from torch import nn

_KEY = 'accumulated_grads'


def _plain_model(runner) -> nn.Module:
    model = runner.model
    return model.module if is_model_wrapper(model) else model


def keep_accumulated_grads(runner, checkpoint: dict) -> None:
    """Put unfinished gradient sums into a checkpoint.

    With ``accumulative_counts=4`` and 85 iterations an epoch, an epoch ends one
    iteration after a step; the host's checkpoint loses that iteration.

    Note:
        With several processes each holds a sum of its own and only the main
        process saves: nothing is kept, and the log says so.

    Args:
        runner (Runner): A runner in training.
        checkpoint (dict): What is about to be written, changed in place.
    """
    wrapper = runner.optim_wrapper
    if wrapper.inner_count % wrapper._accumulative_counts == 0:
        return
    if get_world_size() > 1:
        runner.logger.warning(
            'This checkpoint lies between two optimizer steps: what the '
            'processes have accumulated is not in it. Choose '
            'accumulative_counts so that it divides the saving period.')
        return
    checkpoint[_KEY] = {
        name: parameter.grad.detach().cpu()
        for name, parameter in _plain_model(runner).named_parameters()
        if parameter.grad is not None
    }


def restore_accumulated_grads(runner, checkpoint: dict) -> None:
    """Give the parameters the gradient sums that a checkpoint brought.

    Args:
        runner (Runner): A runner about to train.
        checkpoint (dict): The loaded checkpoint, empty if none was resumed.
    """
    saved = checkpoint.get(_KEY, {})
    for name, parameter in _plain_model(runner).named_parameters():
        if name in saved:
            parameter.grad = saved[name].to(parameter).clone()


__all__ = ['keep_accumulated_grads', 'restore_accumulated_grads']
