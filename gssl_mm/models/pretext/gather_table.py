"""Compositions of tasks that only move values, as one gather."""
import torch
from torch import Tensor

from .base import PretextTask
from .regions import Box


def compose_index(tasks: list[PretextTask], side: int) -> Tensor:
    """Enumerate all parameter combinations of ``tasks`` as source positions.

    Args:
        tasks (list[PretextTask]): In the order in which they are applied; all
            of them give an :meth:`PretextTask.index`.
        side (int): Side of the square patch.

    Returns:
        Tensor: int64 ``(P, 3 * side**2)``, P the product of the tasks'
        ``num_params``; the last task's parameter varies fastest.
    """
    composed = torch.arange(3 * side * side)[None]
    for task in tasks:
        step = task.index(torch.arange(task.num_params), side, side)
        combos, options = composed.size(0), step.size(0)
        # out[i] = in[step[i]] of what came before: composed[step[i]]
        composed = composed.repeat_interleave(options, 0).gather(
            1, step.repeat(combos, 1))
    return composed


class GatherTable:
    """Source and target positions for each quadrant and combination.

    Args:
        tasks (list[PretextTask]): In the order in which they are applied.
        boxes (list): (top, left, side, side) of the quadrants.
        height (int): Height of the images.
        width (int): Width of the images.
        device (torch.device): Where the images are.
    """

    def __init__(self, tasks: list[PretextTask], boxes: list[Box], height: int,
                 width: int, device: torch.device) -> None:
        plane = torch.arange(3 * height * width).view(3, height, width)
        longest = max(3 * side * side for _, _, side, _ in boxes)
        targets, sources = [], []
        for top, left, side, _ in boxes:
            spot = plane[:, top:top + side, left:left + side].reshape(-1)
            moved = spot[compose_index(tasks, side)]
            # A shorter quadrant repeats its first move: same target, same value
            pad = longest - spot.numel()
            targets.append(torch.cat([spot, spot[:1].expand(pad)]))
            sources.append(
                torch.cat([moved, moved[:, :1].expand(-1, pad)], 1))
        self.num_combos = sources[0].size(0)
        self.target = torch.stack(targets).to(device)
        self.source = torch.cat(sources).to(device)

    def __call__(self, images: Tensor, region: Tensor,
                 combo: Tensor) -> Tensor:
        """Move the values of one quadrant an image.

        Args:
            images (Tensor): ``(N, 3, H, W)``, any dtype.
            region (Tensor): int64 ``(N,)`` in 0..3.
            combo (Tensor): int64 ``(N,)`` in [0, num_combos).
        """
        flat = images.reshape(images.size(0), -1)
        # index_select copies whole rows; indexing by a tensor does not
        source = self.source.index_select(0, region * self.num_combos + combo)
        target = self.target.index_select(0, region)
        values = flat.gather(1, source)
        return flat.scatter(1, target, values).view(images.shape)
