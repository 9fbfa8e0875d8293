"""Means over all processes, without gradient."""
import torch
from mmengine.dist import all_reduce, get_world_size
from torch import Tensor


@torch.no_grad()
def global_sum(values: Tensor) -> Tensor:
    """Sum a tensor over processes; a copy of it where there is one."""
    values = values.detach().clone()
    if get_world_size() > 1:
        all_reduce(values, op='sum')
    return values


@torch.no_grad()
def global_mean(means: Tensor, count: int) -> Tensor:
    """Average local means over processes, weighted by their sample counts.

    Args:
        means (Tensor): Local means, any shape.
        count (int): Number of samples behind them on this process.

    Returns:
        Tensor: The mean over all samples of all processes, without gradient.
    """
    if get_world_size() == 1:
        return means.detach().clone()
    flat = means.detach().reshape(-1) * count
    packed = global_sum(torch.cat([flat, flat.new_full((1, ), count)]))
    return (packed[:-1] / packed[-1]).view_as(means)
