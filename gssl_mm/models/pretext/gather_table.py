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


class QuadrantTable:
    """Positions in the four equal quadrants of images of even, equal sides.

    Rows of a quadrant are copied out, whole, into a patch an image; values are
    gathered within the patch; rows are copied back into a copy of the images.
    Only a quarter of an image needs positions, and where the tasks move pixels
    alike in every channel (and reorder channels, which rows do) only a twelfth:
    tables of the whole image, allocated anew for every batch, cost more time
    than the move itself.

    Args:
        tasks (list[PretextTask]): In the order in which they are applied.
        side (int): Side of a quadrant, half of that of the images.
        device (torch.device): Where the images are.
    """

    def __init__(self, tasks: list[PretextTask], side: int,
                 device: torch.device) -> None:
        composed = compose_index(tasks, side)
        self.num_combos = len(composed)
        self.side = side
        planes = composed.view(-1, 3, side * side)
        channels, pixels = planes[..., 0] // side**2, planes[:, :1] % side**2
        separable = torch.equal(
            channels[..., None] * side**2 + pixels, planes)
        identity = torch.arange(3).expand(1, 3)
        self.planes = 3 if separable else 1
        self.pixels = (pixels if separable else composed[:, None]).to(device)
        self.rows_from = self._rows(
            channels if separable else identity.expand(
                self.num_combos, 3)).to(device)
        self.rows_to = self._rows(identity).to(device)

    def _rows(self, channels: Tensor) -> Tensor:
        """Rows of each quadrant with its channels in a given order.

        Images are counted in pieces of ``side`` values: a row of an image is
        two of them.

        Args:
            channels (Tensor): int64 ``(P, 3)``.

        Returns:
            Tensor: int64 ``(4 P, 3 * side)``, quadrants first.
        """
        quadrant = torch.arange(4).view(4, 1, 1, 1)
        row = torch.arange(self.side) + quadrant // 2 * self.side
        row = channels[:, :, None] * 2 * self.side + row
        return (2 * row + quadrant % 2).flatten(2).flatten(0, 1)

    def __call__(self, images: Tensor, region: Tensor,
                 combo: Tensor) -> Tensor:
        """Move the values of one quadrant an image.

        Args:
            images (Tensor): ``(N, 3, 2 * side, 2 * side)``, any dtype.
            region (Tensor): int64 ``(N,)`` in 0..3.
            combo (Tensor): int64 ``(N,)`` in [0, num_combos).
        """
        pieces = images.reshape(-1, self.side)
        count = 12 * self.side
        first = count * torch.arange(len(images), device=images.device)[:, None]
        # index_select copies whole rows; indexing by a tensor does not
        source = self.rows_from.index_select(
            0, region * self.num_combos + combo)
        target = self.rows_to.index_select(0, region)
        patch = pieces.index_select(0, (source + first).view(-1))
        pixels = self.pixels.index_select(0, combo)
        pixels = pixels.expand(-1, self.planes, -1)
        moved = patch.view(pixels.shape).gather(2, pixels)
        return pieces.index_copy(
            0, (target + first).view(-1),
            moved.view(-1, self.side)).view(images.shape)


class GatherTable:
    """Source and target positions for each quadrant and combination.

    For quadrants of any size; :class:`QuadrantTable` is faster on equal ones.

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
