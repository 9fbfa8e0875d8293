"""Batched tensor operations behind the pretext tasks: pure functions.

Images are ``(N, C, H, W)``; rotations are counter-clockwise quarter turns;
quadrants are counted in reading order (0 top-left, 1 top-right, 2 bottom-left,
3 bottom-right).
"""
from itertools import permutations

import torch
from torch import Tensor

# Row p is the p-th permutation of (R, G, B) in lexicographic order; output
# channel c takes input channel CHANNEL_ORDERS[p][c].
CHANNEL_ORDERS = tuple(permutations(range(3)))


def rotate(images: Tensor, turns: Tensor) -> Tensor:
    """Rotate each square image by its own number of quarter turns.

    Args:
        images (Tensor): ``(N, C, S, S)``, any dtype.
        turns (Tensor): ``(N,)`` int64 in 0..3, counter-clockwise.

    Returns:
        Tensor: ``(N, C, S, S)``, values moved, none changed.

    Raises:
        ValueError: If the images are not square.
    """
    n, channels, height, width = images.shape
    if height != width:
        raise ValueError(
            f'a quarter turn needs a square patch, but got {height}x{width}')
    index = rotation_index(turns, height, width)
    flat = images.reshape(n, channels, -1)
    return flat.gather(2, index[:, None].expand_as(flat)).view_as(images)


def flip(images: Tensor, flipped: Tensor, axis: str = 'horizontal') -> Tensor:
    """Mirror the images whose flag is set.

    Args:
        images (Tensor): ``(N, C, H, W)``, any dtype.
        flipped (Tensor): ``(N,)``, 1 or True to mirror.
        axis (str): ``'horizontal'`` swaps left and right, ``'vertical'`` top
            and bottom.

    Returns:
        Tensor: ``(N, C, H, W)``.
    """
    mirrored = images.flip(3 if axis == 'horizontal' else 2)
    return torch.where(flipped.bool()[:, None, None, None], mirrored, images)


def permute_channels(images: Tensor, order: Tensor) -> Tensor:
    """Reorder the three channels of each image.

    Args:
        images (Tensor): ``(N, 3, H, W)``, channels R, G, B.
        order (Tensor): ``(N,)`` int64 in 0..5, row of ``CHANNEL_ORDERS``.

    Returns:
        Tensor: ``(N, 3, H, W)``.

    Raises:
        ValueError: If there are not three channels.
    """
    if images.size(1) != 3:
        raise ValueError(
            f'a channel permutation needs 3 channels, got {images.size(1)}')
    table = torch.tensor(CHANNEL_ORDERS, device=images.device)
    index = table[order][:, :, None, None].expand_as(images)
    return images.gather(1, index)


def rotation_index(turns: Tensor, height: int, width: int) -> Tensor:
    """Source position of each pixel of a turned square, ``(N, H * W)``."""
    grid = torch.arange(height * width, device=turns.device).view(height, width)
    table = torch.stack([grid.rot90(k).reshape(-1) for k in range(4)])
    return table[turns]


def flip_index(flipped: Tensor, height: int, width: int, axis: str) -> Tensor:
    """Source position of each pixel of a mirrored patch, ``(N, H * W)``."""
    grid = torch.arange(height * width, device=flipped.device)
    grid = grid.view(height, width)
    mirrored = grid.flip(1 if axis == 'horizontal' else 0)
    return torch.stack([grid.reshape(-1), mirrored.reshape(-1)])[flipped.long()]


def rotate_box(images: Tensor, top: Tensor, left: Tensor, side: Tensor,
               turns: Tensor) -> Tensor:
    """Rotate the pixels of one square box an image; the rest is untouched.

    Args:
        images (Tensor): ``(N, C, H, W)``.
        top (Tensor): ``(N,)`` int64, first row of the box.
        left (Tensor): ``(N,)`` int64, first column of the box.
        side (Tensor): ``(N,)`` int64, side of the box in pixels.
        turns (Tensor): ``(N,)`` int64 in 0..3, counter-clockwise.

    Returns:
        Tensor: ``(N, C, H, W)``.
    """
    n, channels, height, width = images.shape
    rows = torch.arange(height, device=images.device).view(1, -1, 1)
    cols = torch.arange(width, device=images.device).view(1, 1, -1)
    top, left, side, turns = (
        t.view(-1, 1, 1) for t in (top, left, side, turns))
    u, v = rows - top, cols - left
    inside = (u >= 0) & (u < side) & (v >= 0) & (v < side)
    last = side - 1
    # out[u, v] = in[source_u, source_v] for 0, 1, 2, 3 quarter turns
    source_u = torch.where(
        turns == 0, u, torch.where(
            turns == 1, v, torch.where(turns == 2, last - u, last - v)))
    source_v = torch.where(
        turns == 0, v, torch.where(
            turns == 1, last - u, torch.where(turns == 2, last - v, u)))
    source = (source_u + top) * width + source_v + left
    index = torch.where(inside, source, rows * width + cols)
    flat = images.reshape(n, channels, -1)
    index = index.reshape(n, 1, -1).expand_as(flat)
    return flat.gather(2, index).view_as(images)
