"""Random draws of a training step, a function of (seed, iteration) alone."""
from collections.abc import Callable

import torch
from mmengine.dist import get_dist_info
from mmengine.logging import MessageHub

from gssl_mm.seeding import stable_seed


def step_generator(stream: str) -> torch.Generator:
    """Return the CPU generator of the current training iteration.

    The seed and the iteration come from MMEngine's message hub, where the
    runner keeps them. Nothing is carried from step to step, so that a resumed
    run draws what the uninterrupted one would have drawn. All processes get
    the same generator: draw for the whole batch and keep a slice (see
    :func:`draw_global`).

    Args:
        stream (str): Name of the consumer; two consumers with different names
            draw independent numbers within one iteration.

    Returns:
        torch.Generator: On the CPU. Outside a runner, where there is no
        iteration to derive a seed from, one seeded from torch's own state.
    """
    info = MessageHub.get_current_instance().runtime_info
    if 'iter' not in info:
        seed = int(torch.randint(2**62, ()))
    else:
        seed = stable_seed(info.get('seed', 0), int(info['iter']), stream)
    return torch.Generator().manual_seed(seed)


def draw_global(num_samples: int, draw: Callable[[int], list]) -> list:
    """Draw for the global batch and keep this process's share.

    MMEngine's ``DefaultSampler`` deals samples round robin: the j-th sample of
    process r is the ``(j * R + r)``-th of the global batch. The draws are dealt
    the same way, which makes R processes equal to one.

    Args:
        num_samples (int): Samples on this process.
        draw (Callable): Takes the number of samples of the global batch and
            returns a list of tensors whose first dimension is that number.

    Returns:
        list[Tensor]: The slices of this process, ``num_samples`` long each.
    """
    rank, world_size = get_dist_info()
    drawn = draw(num_samples * world_size)
    return [values[rank::world_size] for values in drawn]
