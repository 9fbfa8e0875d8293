"""Mixing every image of a batch with another one under a map of weights."""
from abc import ABCMeta, abstractmethod

import numpy as np
import torch
from torch import Tensor

from ..step_random import step_generator


class MaskMix(metaclass=ABCMeta):
    r"""Base of the batch augments that mix images under a map.

    One map :math:`M` of weights in [0, 1] is drawn for a batch, and one
    permutation b that gives every image a a partner:

    .. math::
        x = M x_a + (1 - M) x_b, \quad
        y = \lambda y_a + (1 - \lambda) y_b, \quad \lambda = \bar M

    A new way to mix is a subclass, registered in
    ``gssl_mm.registry.BATCH_AUGMENTS``, that implements :meth:`draw_map`.
    Draws depend on seed and iteration alone. In a distributed run all processes
    draw the same map and find partners among their own images.

    Attributes:
        stream (str): Name of the draws, another one for every subclass.
    """

    stream: str

    @abstractmethod
    def draw_map(self, height: int, width: int,
                 rng: np.random.Generator) -> tuple[np.ndarray, float]:
        """Draw the weights of the image itself, and of its label.

        Args:
            height (int): Height of the images in pixels.
            width (int): Width of the images in pixels.
            rng (np.random.Generator): Source of the draws.

        Returns:
            tuple[np.ndarray, float]: Weights (H, W) in [0, 1], and lambda.
        """

    def __call__(self, batch_inputs: Tensor,
                 batch_score: Tensor) -> tuple[Tensor, Tensor]:
        """Draw and mix a batch.

        Args:
            batch_inputs (Tensor): Images, floating point ``(N, C, H, W)``;
                not modified.
            batch_score (Tensor): One-hot or soft labels ``(N, num_classes)``.

        Returns:
            tuple[Tensor, Tensor]: Mixed images and float32 labels.

        Raises:
            TypeError: The images are no floating-point numbers.
            ValueError: The labels are no scores.
        """
        if not batch_inputs.is_floating_point():
            raise TypeError(
                f'{type(self).__name__} mixes floating-point images, but got '
                f'{batch_inputs.dtype}, where weights would be 0 or 1. Mix '
                'after the normalisation, in batch_augments')
        if batch_score.ndim != 2:
            raise ValueError(
                f'{type(self).__name__} mixes scores (N, num_classes), but got '
                f'labels of shape {tuple(batch_score.shape)}. Set num_classes '
                'in the data preprocessor')
        generator = step_generator(self.stream)
        seed = int(torch.randint(2**62, (), generator=generator))
        keep, lam = self.draw_map(
            *batch_inputs.shape[-2:], np.random.default_rng(seed))
        partner = torch.randperm(len(batch_inputs), generator=generator)
        keep = torch.from_numpy(keep).to(
            batch_inputs.device, batch_inputs.dtype, non_blocking=True)
        partner = partner.to(batch_inputs.device, non_blocking=True)
        return self.mix(batch_inputs, batch_score.float(), keep, lam, partner)

    @staticmethod
    def mix(images: Tensor, scores: Tensor, keep: Tensor, lam: float,
            partner: Tensor) -> tuple[Tensor, Tensor]:
        """Mix a batch by given draws.

        Args:
            images (Tensor): ``(N, C, H, W)``, floating point.
            scores (Tensor): ``(N, num_classes)``.
            keep (Tensor): Weights of the image itself, ``(H, W)`` in [0, 1].
            lam (float): Weight of the image's own label, in [0, 1].
            partner (Tensor): int64 ``(N,)``, a permutation.
        """
        others = images.index_select(0, partner)
        images = keep * images + (1 - keep) * others
        others = scores.index_select(0, partner)
        return images, lam * scores + (1 - lam) * others
