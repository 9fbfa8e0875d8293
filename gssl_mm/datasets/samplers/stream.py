"""An endless stream of samples with random access."""
import math
from collections.abc import Iterator, Sized

import torch
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from gssl_mm.registry import DATA_SAMPLERS
from gssl_mm.seeding import stable_seed


@DATA_SAMPLERS.register_module()
class StreamSampler(Sampler):
    """Deals permutations of a dataset one after another, without an end.

    For iteration-based loops, as the host's ``InfiniteSampler``. The p-th
    permutation depends on (seed, stream, p) alone: a resumed run finds its
    place at once, however far the run had come, and two streams of one seed are
    unrelated. Processes take every world-size-th sample.

    Args:
        dataset (Sized): The dataset.
        seed (int, optional): The same on all processes. Defaults to None,
            drawn once and shared.
        stream (str): Name of the stream. Defaults to ``'labeled'``.

    Raises:
        ValueError: The dataset has no sample.

    Example:
        >>> train_dataloader = dict(
        ...     sampler=dict(type='gssl_mm.StreamSampler'))
    """

    def __init__(self, dataset: Sized, seed: int | None = None,
                 stream: str = 'labeled') -> None:
        self.size = len(dataset)
        if not self.size:
            raise ValueError('The dataset has no sample to draw.')
        self.rank, self.world_size = get_dist_info()
        self.seed = sync_random_seed() if seed is None else seed
        self.stream = stream
        self._start = 0

    def skip(self, num_samples: int) -> None:
        """Start iterating after ``num_samples`` samples of this process."""
        if num_samples < 0:
            raise ValueError(
                f'num_samples must be at least 0, got {num_samples}')
        self._start = num_samples

    def __iter__(self) -> Iterator[int]:
        place = self._start * self.world_size + self.rank
        number, offset = divmod(place, self.size)
        while True:
            dealt = self._permutation(number)[offset::self.world_size]
            yield from dealt.tolist()
            place = offset + len(dealt) * self.world_size
            skipped, offset = divmod(place, self.size)
            number += skipped

    def _permutation(self, number: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(
            stable_seed(self.seed, self.stream, number))
        return torch.randperm(self.size, generator=generator)

    def __len__(self) -> int:
        """Samples of one permutation on this process, rounded up."""
        return math.ceil(self.size / self.world_size)

    def set_epoch(self, epoch: int) -> None:
        """Do nothing: the stream does not begin anew."""


__all__ = ['StreamSampler']
