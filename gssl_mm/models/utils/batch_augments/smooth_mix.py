"""SmoothMix: two images that fade into each other around a point."""
import numpy as np

from gssl_mm.registry import BATCH_AUGMENTS

from .mask_mix import MaskMix


@BATCH_AUGMENTS.register_module()
class SmoothMix(MaskMix):
    r"""Fade two images into each other by a Gaussian window.

    Paper: SmoothMix: a Simple Yet Effective Data Augmentation to Train Robust
    Classifiers, section 3, as a row of the Tiny-ImageNet table of Mixture of
    Self-Supervised Learning. On a batch of side S:

    .. math::
        G_{ij} = \exp\left(-\frac{(i - \frac{S-1}{2} - u)^2
        + (j - \frac{S-1}{2} - v)^2}{2 \sigma^2}\right), \quad
        \sigma = S (0.25 + 0.25\,\mathcal{U}(0, 1))

    with integers u and v uniform in [-S/2, S/2 - 1]; the image is
    :math:`G x_a + (1 - G) x_b`, its label
    :math:`\lambda y_a + (1 - \lambda) y_b` with the mean of G.

    Note:
        D14: OpenMixup, from which the published row is, gives G to the *other*
        image and leaves :math:`\lambda` on the image's own label, so that the
        labels are swapped. ``openmixup_compat=True`` reproduces that.

    Args:
        openmixup_compat (bool): Whether to swap the labels as OpenMixup does.
            Defaults to False.

    Shape:
        - images: floating point ``(N, C, H, W)``, any range; where H and W
          differ, u and v follow them and S is the smaller one in sigma.
        - scores: ``(N, num_classes)``.

    Example:
        >>> data_preprocessor = dict(
        ...     type='gssl_mm.PretextDataPreprocessor', num_classes=200,
        ...     batch_augments=dict(augments=dict(type='gssl_mm.SmoothMix')))
    """

    stream = 'smoothmix'

    def __init__(self, openmixup_compat: bool = False) -> None:
        self.openmixup_compat = openmixup_compat

    def draw_map(self, height: int, width: int,
                 rng: np.random.Generator) -> tuple[np.ndarray, float]:
        """Draw a window, see :meth:`MaskMix.draw_map`."""
        u, v = (int(rng.integers(-(side // 2), side - side // 2))
                for side in (height, width))
        sigma = min(height, width) * (0.25 + 0.25 * rng.random())
        window = gaussian_window(height, width, u, v, sigma)
        keep = 1 - window if self.openmixup_compat else window
        return keep, float(window.mean())


def gaussian_window(height: int, width: int, u: float, v: float,
                    sigma: float) -> np.ndarray:
    """Gaussian of height 1, its centre (u, v) pixels off the middle: (H, W)."""
    rows = np.arange(height) - (height - 1) / 2 - u
    cols = np.arange(width) - (width - 1) / 2 - v
    return np.exp(-(rows[:, None]**2 + cols**2) / (2 * sigma**2))
