"""RandAugment and Cutout for a whole batch, as FixMatch uses them."""
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gssl_mm.registry import TASK_UTILS

from .base import BatchAugment
from .magnitudes import LEVELS, POOL, from_levels, from_uniform
from .operations import OPERATIONS
from .squares import erase_squares

GREY = 127.5


class Variant(NamedTuple):
    """One published form of RandAugment."""

    num_ops: int
    prob: float
    fill: float
    cutout: int | None
    cutout_fill: tuple[float, float, float]


VARIANTS = {
    'fm': Variant(2, 0.5, GREY, 16, (GREY, ) * 3),
    'kk': Variant(2, 0.5, 0., 16, (127., ) * 3),
    # None: a side of up to half the image's, drawn an image
    'ly': Variant(3, 1., 0., None, (125., 123., 114.)),
}


@TASK_UTILS.register_module()
class BatchRandAugment(BatchAugment):
    r"""Random operations of random strength on every image of a batch.

    Paper: FixMatch: Simplifying Semi-Supervised Learning with Consistency and
    Confidence, section 2.3 and appendix: operations are drawn with replacement
    from 14 (Identity, AutoContrast, Equalize, Rotate, Solarize, Color,
    Contrast, Brightness, Sharpness, ShearX, ShearY, TranslateX, TranslateY,
    Posterize), each with a strength of its own, followed by Cutout.

    Every operation equals Pillow's to the last bit (mean distance 0 over all
    operations and strengths; nearest neighbour in affine ones). What is drawn
    depends on the generator alone: R processes with equally seeded generators
    do to the global batch what one does.

    Note:
        Three public codes disagree, ``variant`` names one. With a level
        :math:`l` drawn from 1..9 (``'fm'``, the authors', and ``'kk'``) or a
        uniform strength (``'ly'``, which the code of the first paper uses):

        - operations an image: 2, 2, 3; probability of each: 0.5, 0.5, 1
        - factor of Color, Contrast, Brightness, Sharpness: 0.1 + 0.18 l,
          0.05 + 0.09 l, U(0.05, 0.95)
        - bits: 4 - floor(0.4 l), 4 + floor(0.4 l), floor U(4, 8)
        - solarize threshold: 256 - floor(25.6 l) twice, U(0, 256)
        - degrees: 3 l twice, U(-30, 30); shear: 0.03 l twice, U(-0.3, 0.3)
        - pixels: l, floor(0.03 l side), U(-0.3, 0.3) side
        - Cutout: 16 pixels of zero in [-1, 1], 16 of grey 127, a side of
          U(0, 0.5) of the image's filled with (125, 123, 114)

        The signs of the first two are drawn. Cutout is centred at a uniform
        pixel and clipped at the border in all three. A grey of 127.5 is exact
        in float images and 128 in uint8 ones.

    Args:
        variant (str): ``'fm'``, ``'kk'`` or ``'ly'``. Defaults to ``'fm'``.
        num_ops (int, optional): Operations an image, at least 1. Defaults to
            that of the variant.
        prob (float, optional): Probability of each operation in [0, 1].
            Defaults to that of the variant.
        fill (float | Sequence[float], optional): Colour that affine operations
            bring in, 0 to 255. Defaults to that of the variant: grey for
            ``'fm'``, black for the others.
        cutout (bool): Whether to erase a square at the end. Defaults to True.

    Shape:
        - images: ``(N, 3, H, W)`` R, G, B, uint8 or float in [0, 255] (rounded
          before the operations).
        - returns: like the input.

    Raises:
        ValueError: If an argument is out of range, or the images do not have
            three channels.

    Example:
        >>> from gssl_mm.registry import TASK_UTILS
        >>> strong = TASK_UTILS.build(dict(
        ...     type='gssl_mm.BatchRandAugment', variant='fm'))
        >>> strong(torch.zeros(8, 3, 32, 32, dtype=torch.uint8)).shape
        torch.Size([8, 3, 32, 32])
    """

    def __init__(self, variant: str = 'fm', num_ops: int | None = None,
                 prob: float | None = None,
                 fill: float | Sequence[float] | None = None,
                 cutout: bool = True) -> None:
        if variant not in VARIANTS:
            raise ValueError(f'variant must be one of {list(VARIANTS)}, but '
                             f'got {variant!r}')
        published = VARIANTS[variant]
        super().__init__(published.fill if fill is None else fill)
        self.variant = variant
        self.num_ops = published.num_ops if num_ops is None else num_ops
        self.prob = published.prob if prob is None else prob
        self.cutout = cutout
        if self.num_ops < 1:
            raise ValueError(f'num_ops must be at least 1, got {num_ops}')
        if not 0 <= self.prob <= 1:
            raise ValueError(f'prob must be in [0, 1], but got {prob}')
        self._cutout_fill = torch.tensor(published.cutout_fill)
        self._pool = torch.tensor([OPERATIONS.index(name) for name in POOL])

    @property
    def cutout_fill(self) -> tuple[int, ...]:
        """Colour of the erased squares in uint8 images."""
        return tuple(int(value) for value in self._cutout_fill.round())

    def sample(self, n: int, size: tuple[int, int],
               generator: torch.Generator | None) -> list[Tensor]:
        """Draw operations and magnitudes ``(n, K)``, and squares ``(n, 3)``."""
        shape = (n, self.num_ops)
        chosen = torch.randint(len(POOL), shape, generator=generator)
        applied = torch.rand(shape, generator=generator) < self.prob
        operations = self._pool[chosen]
        if self.variant == 'ly':
            share = torch.rand(shape, generator=generator, dtype=torch.float64)
            magnitudes = from_uniform(operations, share, size)
        else:
            levels = torch.randint(1, LEVELS, shape, generator=generator)
            negative = torch.rand(shape, generator=generator) < 0.5
            magnitudes = from_levels(
                self.variant, operations, levels, negative, size)
        # Position 0 is Identity
        return [operations * applied, magnitudes,
                self._sample_squares(n, size, generator)]

    def _sample_squares(self, n: int, size: tuple[int, int],
                        generator: torch.Generator | None) -> Tensor:
        """Top, left and side of the erased squares, int64 ``(n, 3)``."""
        centres = [torch.randint(s, (n, ), generator=generator) for s in size]
        length = VARIANTS[self.variant].cutout
        if length is None:
            share = torch.rand(n, generator=generator)
            side = (share * 0.5 * size[1]).long()
        else:
            side = torch.full((n, ), length)
        return torch.stack([c - side // 2 for c in centres] + [side], 1)

    def apply(self, images: Tensor, operations: Tensor, magnitudes: Tensor,
              squares: Tensor) -> Tensor:
        """Run what :meth:`sample` drew."""
        out = self._run(images, operations, magnitudes)
        if not self.cutout:
            return out.to(images.dtype)
        if self._cutout_fill.device != images.device:
            self._cutout_fill = self._cutout_fill.to(images.device)
        squares = squares.to(images.device, non_blocking=True)
        return erase_squares(out, squares, self._cutout_fill, images.dtype)
