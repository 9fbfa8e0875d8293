"""GridMix: a lattice of squares from another image."""
import math
from collections.abc import Sequence

import numpy as np

from gssl_mm.registry import BATCH_AUGMENTS

from .mask_mix import MaskMix


@BATCH_AUGMENTS.register_module()
class GridMix(MaskMix):
    r"""Replace a lattice of squares within a box by another image.

    Of a box of random area and aspect at a random place, ``n`` cells a row, the
    upper left square of every cell is taken from the other image:

    - :math:`\ell \sim Beta(\alpha, \alpha)`;
    - box: width :math:`w = \lfloor\sqrt{\lfloor HW a\rfloor / r}\rfloor` and
      height :math:`\lfloor w r \rfloor`, at most the image's, for an area
      fraction a and an aspect r;
    - cells of side :math:`c = \lceil w / n \rceil`, squares of side
      :math:`\lfloor c \sqrt{1 - \ell} \rfloor` in [1, c - 1];
    - :math:`\lambda = 1 -` replaced area / HW weighs the image's own label.

    Note:
        This is what OpenMixup, from which the published row of the
        Tiny-ImageNet table of Mixture of Self-Supervised Learning is, calls
        GridMix: a hybrid of GridMask and CutMix. The paper of that name, which
        the table cites, mixes whole cells and adds a loss of patches.

    Args:
        alpha (float): Of the Beta distribution, positive. Defaults to 0.2.
        area (Sequence[float]): Smallest and largest area of the box, fractions
            in (0, 1]. Defaults to (0.5, 1).
        aspect (Sequence[float]): Smallest and largest height over width of the
            box, positive. Defaults to (0.5, 2).
        holes (Sequence[int]): Fewest and most cells a row. Defaults to (2, 6).

    Shape:
        - images: floating point ``(N, C, H, W)``, any range.
        - scores: ``(N, num_classes)``.

    Raises:
        ValueError: A range is empty or outside what is allowed.

    Example:
        >>> data_preprocessor = dict(
        ...     type='gssl_mm.PretextDataPreprocessor', num_classes=200,
        ...     batch_augments=dict(augments=dict(type='gssl_mm.GridMix')))
    """

    stream = 'gridmix'

    def __init__(self, alpha: float = 0.2, area: Sequence[float] = (0.5, 1.),
                 aspect: Sequence[float] = (0.5, 2.),
                 holes: Sequence[int] = (2, 6)) -> None:
        if alpha <= 0:
            raise ValueError(f'alpha must be positive, but got {alpha}')
        for name, (low, high), largest in (('area', area, 1.),
                                           ('aspect', aspect, math.inf),
                                           ('holes', holes, math.inf)):
            if not 0 < low <= high <= largest:
                raise ValueError(
                    f'{name} must be (low, high) with 0 < low <= high <= '
                    f'{largest}, but got {(low, high)}')
        self.alpha = alpha
        self.area, self.aspect, self.holes = area, aspect, holes

    def draw_map(self, height: int, width: int,
                 rng: np.random.Generator) -> tuple[np.ndarray, float]:
        """Draw a lattice, see :meth:`MaskMix.draw_map`."""
        ratio = rng.beta(self.alpha, self.alpha)
        pixels = int(height * width * rng.uniform(*self.area))
        aspect = rng.uniform(*self.aspect)
        holes = int(rng.integers(self.holes[0], self.holes[1] + 1))
        side = math.sqrt(pixels / aspect)
        # An extreme aspect asks for more than there is
        box_w = min(max(int(side), 1), width)
        box_h = min(max(int(int(side) * aspect), 1), height)
        top = int(rng.integers(height - box_h + 1))
        left = int(rng.integers(width - box_w + 1))
        keep = np.ones((height, width))
        keep[top:top + box_h, left:left + box_w] -= lattice(
            box_h, box_w, holes, ratio)
        return keep, float(keep.mean())


def lattice(height: int, width: int, holes: int, ratio: float) -> np.ndarray:
    """1 where a square is, 0 between them.

    Args:
        height (int): Height of the box in pixels.
        width (int): Width of the box in pixels.
        holes (int): Cells a row; rows are as many as fit.
        ratio (float): Part of a cell that is kept, in [0, 1].

    Returns:
        np.ndarray: (height, width) float64.
    """
    cell = math.ceil(width / holes)
    side = max(min(int(cell * math.sqrt(1 - ratio)), cell - 1), 1)
    rows, cols = (np.arange(n) % cell < side for n in (height, width))
    return (rows[:, None] & cols).astype(float)
