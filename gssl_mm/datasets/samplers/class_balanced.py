"""Sampling that sees rare classes more often."""
import math
from collections.abc import Iterator, Sized

import numpy as np
import torch
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from gssl_mm.registry import DATA_SAMPLERS
from gssl_mm.seeding import stable_seed

from ..label_utils import count_labels, get_gt_labels, get_num_classes


@DATA_SAMPLERS.register_module()
class ClassBalancedSampler(Sampler):
    r"""Draws samples with replacement, by the effective number of their class.

    Paper: Class-Balanced Loss Based on Effective Number of Samples, equation
    8, used as sampling probabilities: a sample of class c is drawn with a
    probability proportional to

    .. math::
        w_c = \frac{1 - \beta}{1 - \beta^{n_c}}

    :math:`\beta = 0` draws every sample alike; :math:`\beta = 1` is the limit
    :math:`1 / n_c`, which draws every class alike; 0.9999 lies near the latter
    for classes of up to some thousand samples.

    Note:
        This is the released LDAM code's option 'Resample', which there is built
        but never handed to the loader.

    The draws follow from (seed, epoch) alone and are the same for any number
    of processes, which take every world-size-th of them.

    Args:
        dataset (Sized): The dataset; its labels are read once.
        beta (float): In [0, 1]. Default: 0.9999.
        num_samples (int, optional): Draws an epoch over all processes.
            Default: None, the length of the dataset.
        seed (int, optional): The same on all processes. Default: None, drawn
            once and shared.
        round_up (bool): Whether to repeat first draws so that all processes
            get the same number. Default: True.

    Raises:
        ValueError: ``beta`` lies outside [0, 1] or the dataset is empty.

    Example:
        >>> train_dataloader = dict(
        ...     sampler=dict(
        ...         _delete_=True, type='gssl_mm.ClassBalancedSampler',
        ...         beta=0.9999))
    """

    def __init__(self,
                 dataset: Sized,
                 beta: float = 0.9999,
                 num_samples: int | None = None,
                 seed: int | None = None,
                 round_up: bool = True) -> None:
        if not 0 <= beta <= 1:
            raise ValueError(f'beta lies in [0, 1], got {beta}')
        labels = get_gt_labels(dataset)
        if not len(labels):
            raise ValueError('The dataset has no sample to draw.')
        counts = count_labels(labels, get_num_classes(dataset, labels))
        weights = class_weights(counts, beta)[labels]
        self.probabilities = torch.from_numpy(weights / weights.sum())
        self.rank, self.world_size = get_dist_info()
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self.total = len(labels) if num_samples is None else num_samples
        self.padded = self.total
        if round_up:
            self.padded = math.ceil(
                self.total / self.world_size) * self.world_size

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(
            stable_seed(self.seed, self.epoch, 'class_balanced_sampler'))
        draws = torch.multinomial(
            self.probabilities, self.total, True, generator=generator)
        order = torch.arange(self.rank, self.padded, self.world_size)
        return iter(draws[order % self.total].tolist())

    def __len__(self) -> int:
        return math.ceil((self.padded - self.rank) / self.world_size)

    def set_epoch(self, epoch: int) -> None:
        """Set the 0-based epoch, which changes the draws."""
        self.epoch = epoch


def class_weights(counts: np.ndarray, beta: float) -> np.ndarray:
    """Inverse effective numbers, (C,) float64; 0 for classes of no sample."""
    counts = counts.astype(np.float64)
    effective = counts if beta == 1 else (1 - beta**counts) / (1 - beta)
    weights = np.zeros_like(effective)
    return np.divide(1, effective, out=weights, where=effective > 0)


__all__ = ['ClassBalancedSampler']
