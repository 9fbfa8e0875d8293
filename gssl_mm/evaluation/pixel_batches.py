"""Batches of pixels with their positions in the dataset."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from gssl_mm.models.attacks import Attack, PixelModel
from gssl_mm.seeding import stable_seed


class PixelBatch(NamedTuple):
    """Some images of a dataset.

    Attributes:
        pixels (Tensor): float32 ``(N, C, H, W)`` in [0, 1].
        labels (Tensor): int64 ``(N,)``.
        index (np.ndarray): Positions in the dataset, int64 ``(N,)``.
    """

    pixels: Tensor
    labels: Tensor
    index: np.ndarray

    def rows(self, rows: Tensor) -> PixelBatch:
        """Some of the rows, by a bool or int64 tensor or a slice."""
        where = rows.cpu().numpy() if isinstance(rows, Tensor) else rows
        return PixelBatch(self.pixels[rows], self.labels[rows],
                          self.index[where])


def positions(loader: DataLoader) -> np.ndarray:
    """Positions in the dataset in the order in which a loader returns them.

    The order is the sampler's, which has to repeat itself, as the host's
    samplers do.
    """
    return np.fromiter(
        chain.from_iterable(loader.batch_sampler), dtype=np.int64)


def pixel_batches(loader: DataLoader, model: PixelModel,
                  keep: Callable[[np.ndarray], np.ndarray],
                  size: int) -> Iterator[PixelBatch]:
    """Go through a loader, leave images out and fill the batches up again.

    Args:
        loader (DataLoader): A test loader.
        model (PixelModel): Undoes the normalisation of the preprocessor.
        keep (Callable): Positions to bool, which images to take.
        size (int): Images in a batch, but the last.
    """
    order, done, waiting = positions(loader), 0, None
    for data in loader:
        pixels, samples = model.pixels(data)
        index = order[done:done + len(pixels)]
        done += len(pixels)
        labels = torch.cat([s.gt_label for s in samples]).to(pixels.device)
        batch = PixelBatch(pixels, labels, index)
        taken = torch.from_numpy(keep(index)).to(pixels.device)
        batch = batch.rows(taken)
        waiting = batch if waiting is None else _join(waiting, batch)
        while len(waiting.index) >= size:
            yield waiting.rows(slice(0, size))
            waiting = waiting.rows(slice(size, None))
    if waiting is not None and len(waiting.index):
        yield waiting


def _join(one: PixelBatch, other: PixelBatch) -> PixelBatch:
    return PixelBatch(torch.cat([one.pixels, other.pixels]),
                      torch.cat([one.labels, other.labels]),
                      np.concatenate([one.index, other.index]))


def image_noise(attack: Attack, batch: PixelBatch, seed: int) -> Tensor | None:
    """Random starts that depend on (seed, position) alone.

    Neither the size of batches, nor which images are left out, nor the number
    of processes enters.
    """
    shape = tuple(batch.pixels.shape[1:])
    drawn = [attack.draw_noise(shape, torch.Generator().manual_seed(
        stable_seed(seed, int(position), 'attack')))
        for position in batch.index]
    return None if drawn[0] is None else torch.stack(drawn, 1)
