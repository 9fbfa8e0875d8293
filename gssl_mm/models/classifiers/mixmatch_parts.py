"""Operations of MixMatch on batches."""
import numpy as np
import torch
import torch.nn.functional as F
from mmengine.dist import all_gather, get_dist_info
from mmpretrain.structures import DataSample
from torch import Tensor

from ..utils.class_targets import class_targets

NUM_PARTS = 3


def target_of(data_samples: list[DataSample], like: Tensor) -> Tensor:
    """Shares of the classes of labelled images, ``(B, K)``.

    Args:
        data_samples (list[DataSample]): With scores or labels.
        like (Tensor): Its second size is the number of classes.
    """
    target = class_targets(data_samples, like.device)
    if target.ndim == 1:
        target = F.one_hot(target, like.size(1))
    return target.to(like)


def draw_mix(num_rows: int, alpha: float,
             generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw partners and shares of this process's rows.

    Args:
        num_rows (int): Rows on this process: three parts of equal size.
        alpha (float): Of Beta(alpha, alpha).
        generator (torch.Generator): The same on all processes.

    Returns:
        tuple[Tensor, Tensor]: Partners, int64 ``(n,)`` rows of
        :func:`gather_global`, and shares of the own row, float32 ``(n,)`` in
        [0.5, 1].
    """
    rank, world_size = get_dist_info()
    total = num_rows * world_size
    order = torch.randperm(total, generator=generator)
    seed = int(torch.randint(2**62, (), generator=generator))
    share = np.random.default_rng(seed).beta(alpha, alpha, total)
    share = torch.from_numpy(np.maximum(share, 1 - share)).float()
    # Rows of all processes, dealt round robin within each part
    return order[rank::world_size], share[rank::world_size]


def gather_global(rows: Tensor) -> Tensor:
    """Rows of all processes: part by part, processes taking turns within."""
    if get_dist_info()[1] == 1:
        return rows
    every = torch.stack(all_gather(rows.contiguous()), 1)
    return every.flatten(0, 1)


def interleave(parts: list[Tensor]) -> list[Tensor]:
    """Swap slices so that each part holds some rows of the first one.

    Part i exchanges its i-th slice with the first part's; doing it twice
    restores the order.

    Args:
        parts (list[Tensor]): Tensors of the same length.
    """
    count, length = len(parts), len(parts[0])
    sizes = [length // count] * count
    for index in range(length - sum(sizes)):
        sizes[-index - 1] += 1
    slices = [list(part.split(sizes)) for part in parts]
    for index in range(1, count):
        first, own = slices[0][index], slices[index][index]
        slices[0][index], slices[index][index] = own, first
    return [torch.cat(part) for part in slices]


__all__ = ['draw_mix', 'gather_global', 'interleave', 'target_of']
