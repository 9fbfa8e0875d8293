"""What transforms of one sample that draw for themselves share."""
import torch
from mmcv.transforms import BaseTransform

from ..sample_random import EpochHandle, sample_generator

CHANNEL_ORDERS = ('rgb', 'bgr')


class SampleTransform(BaseTransform):
    """A transform whose draws follow from (seed, epoch, sample).

    Args:
        channel_order (str): Of the images, ``'rgb'`` or ``'bgr'``.
        seed (int): Seed of the draws.

    Raises:
        ValueError: If ``channel_order`` is unknown.
    """

    def __init__(self, channel_order: str, seed: int) -> None:
        if channel_order not in CHANNEL_ORDERS:
            raise ValueError(f'channel_order must be one of {CHANNEL_ORDERS}, '
                             f'but got {channel_order!r}')
        self.flip_channels = channel_order == 'bgr'
        self.seed = seed
        # Joins workers that were not forked to the shared epoch
        self._epoch = EpochHandle()

    def generator(self, results: dict, stream: str) -> torch.Generator:
        """Generator of a sample.

        Args:
            results (dict): The sample, with ``sample_idx``.
            stream (str): What the draws are for.

        Raises:
            KeyError: The sample has no ``sample_idx``.
        """
        if 'sample_idx' not in results:
            raise KeyError(
                f"{type(self).__name__} draws by results['sample_idx'], which "
                "the host's datasets set; this sample has none")
        return sample_generator(self.seed, int(results['sample_idx']), stream)


__all__ = ['SampleTransform']
