"""Masks on feature maps: pure functions.

A mask set is a tensor of grids ``(V, rows, cols)``, the first one all ones. A
grid is laid over a map of any size: its cells meet at ``floor(i * h / rows)``,
so that a 2x2 grid has the quadrants of the paper, whose halves are rounded
down.
"""
from collections.abc import Sequence

import torch
from torch import Tensor

from ..utils.precision import at_least_float32, float32_region
from .errors import MapSizeError, MaskSetError

# M_1 to M_4: upper-left, upper-right, lower-left and lower-right are dropped
QUADRANTS = (((0, 1), (1, 1)), ((1, 0), (1, 1)),
             ((1, 1), (0, 1)), ((1, 1), (1, 0)))


def mask_grids(masks: str | Sequence | Tensor | None) -> Tensor:
    """Return a mask set as grids, float32 ``(T + 1, rows, cols)``.

    Args:
        masks (str | Sequence | Tensor, optional): ``'quadrants'``; T grids of
            equal shape ``(rows, cols)``; or None for no mask.

    Raises:
        MaskSetError: If it is none of these, or has no cell.
    """
    if isinstance(masks, str) and masks != 'quadrants':
        raise MaskSetError(
            f"masks must be 'quadrants', None or a list of grids, e.g. "
            f'[[[0, 1], [1, 1]]], but got {masks!r}')
    masks = QUADRANTS if isinstance(masks, str) else masks
    if masks is None:
        return torch.ones(1, 1, 1)
    try:
        grids = torch.as_tensor(masks, dtype=torch.float32)
    except (TypeError, ValueError) as error:
        raise MaskSetError(
            'the grids of a mask set must be numbers and of equal shape '
            f'(rows, cols), but got {masks!r}') from error
    if grids.ndim != 3 or not grids.numel() or not grids.isfinite().all():
        raise MaskSetError(
            'a mask set must be finite numbers of shape (masks, rows, cols), '
            f'none of them 0, but got {tuple(grids.shape)}')
    return torch.cat([torch.ones_like(grids[:1]), grids])


def check_map(feat: Tensor, grids: Tensor) -> None:
    """Refuse what is not a map, or is smaller than the grid.

    Raises:
        MapSizeError: Then.
    """
    rows, cols = grids.shape[1:]
    if feat.ndim != 4:
        raise MapSizeError(
            f'feature masks need maps (N, C, h, w), but got '
            f'{tuple(feat.shape)}. Pooling is done here: remove the neck '
            'before this one')
    if feat.size(2) < rows or feat.size(3) < cols:
        raise MapSizeError(
            f'a map of {feat.size(2)}x{feat.size(3)} is smaller than the '
            f'{rows}x{cols} grid of its masks. Use larger images or an '
            'earlier stage')


def expand_masks(grids: Tensor, height: int, width: int) -> Tensor:
    """Lay a mask set over a map: ``(V, height, width)``."""
    for dim, size in ((1, height), (2, width)):
        ends = torch.arange(1, size + 1, device=grids.device)
        cells = (ends * grids.size(dim) - 1).div(size, rounding_mode='floor')
        grids = grids.index_select(dim, cells)
    return grids


def stack_masked(feat: Tensor, grids: Tensor) -> Tensor:
    """Mask a map by each mask: the path of maps that are processed further.

    Args:
        feat (Tensor): ``(N, C, h, w)``.
        grids (Tensor): ``(V, rows, cols)``.

    Returns:
        Tensor: ``(N * V, C, h, w)``, row ``n * V + v`` is sample n with mask v.

    Raises:
        MapSizeError: If the map is smaller than the grid.
    """
    check_map(feat, grids)
    masks = expand_masks(grids, *feat.shape[2:]).to(feat.dtype)
    return (feat[:, None] * masks[:, None]).flatten(0, 1)


def pool_masked(feat: Tensor, grids: Tensor) -> Tensor:
    """Average each masked map, for any mask set, without copies of the map.

    Args:
        feat (Tensor): ``(N, C, h, w)``.
        grids (Tensor): ``(V, rows, cols)``.

    Returns:
        Tensor: float32 ``(N, V, C)``, the mean over h * w of map times mask.

    Raises:
        MapSizeError: If the map is smaller than the grid.
    """
    check_map(feat, grids)
    height, width = feat.shape[2:]
    with float32_region(feat.device):
        feat = at_least_float32(feat)
        masks = expand_masks(grids, height, width).to(feat.dtype)
        return torch.einsum('nchw,vhw->nvc', feat, masks / (height * width))


def pool_quadrants(feat: Tensor) -> Tensor:
    r"""Average a map without and with each quadrant dropped, by four sums.

    Equation: with :math:`s_j` the sum over quadrant j, :math:`p_0 =
    \sum_j s_j / hw` and :math:`p_j = p_0 - s_j / hw`, for odd sizes too.

    Args:
        feat (Tensor): ``(N, C, h, w)``, at least 2x2.

    Returns:
        Tensor: float32 ``(N, 5, C)``.
    """
    height, width = feat.shape[2:]
    halves = (height // 2, height - height // 2)
    sides = (width // 2, width - width // 2)
    # One split a direction: its backward is one concatenation, not one map of
    # zeros a quadrant
    dtype = torch.promote_types(feat.dtype, torch.float32)
    bands = [band.sum(2, dtype=dtype) for band in feat.split(halves, 2)]
    sums = torch.stack([
        part.sum(2) for band in bands for part in band.split(sides, 2)], 1)
    sums = sums / (height * width)
    total = sums.sum(1, keepdim=True)
    return torch.cat([total, total - sums], 1)
