"""AutoAugment and RandAugment on one sample, by Pillow."""
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from gssl_mm.models.utils.batch_augment import OPERATIONS
from gssl_mm.registry import TASK_UTILS, TRANSFORMS

from .sample_transform import SampleTransform

# Magnitude -> Pillow's coefficients (a, b, c, d, e, f)
AFFINE_MAPS: dict[str, Callable[[float], tuple]] = {
    'ShearX': lambda m: (1, m, 0, 0, 1, 0),
    'ShearY': lambda m: (1, 0, 0, m, 1, 0),
    'TranslateX': lambda m: (1, 0, m, 0, 1, 0),
    'TranslateY': lambda m: (1, 0, 0, 0, 1, m),
}
POINT_MAPS: dict[str, Callable[[Image.Image, float], Image.Image]] = {
    'Identity': lambda image, m: image,
    'Invert': lambda image, m: ImageOps.invert(image),
    'AutoContrast': lambda image, m: ImageOps.autocontrast(image),
    'Equalize': lambda image, m: ImageOps.equalize(image),
    'Posterize': lambda image, m: ImageOps.posterize(image, int(m)),
    'Solarize': lambda image, m: ImageOps.solarize(image, m),
}


def pillow_operation(image: Image.Image, name: str, magnitude: float,
                     fill: Sequence[int] = (0, 0, 0)) -> Image.Image:
    """Run one operation on one image.

    Args:
        image (Image): In mode RGB.
        name (str): One of ``OPERATIONS``.
        magnitude (float): In the unit of the operation.
        fill (Sequence[int]): Colour of what comes in from outside. Defaults
            to black.
    """
    if name in POINT_MAPS:
        return POINT_MAPS[name](image, magnitude)
    if name == 'Rotate':
        return image.rotate(magnitude, fillcolor=tuple(fill))
    if name in AFFINE_MAPS:
        return image.transform(image.size, Image.Transform.AFFINE,
                               AFFINE_MAPS[name](magnitude),
                               fillcolor=tuple(fill))
    return getattr(ImageEnhance, name)(image).enhance(magnitude)


@TRANSFORMS.register_module()
class PillowAugment(SampleTransform):
    """Run a batched augmentation on one image by Pillow, in a worker.

    The reference of the batched forms: they draw, Pillow runs what they drew.
    On the batch in the data preprocessor it is faster; this form is for
    pipelines whose later steps need the augmented image. The draws of a sample
    follow from (seed, epoch, sample), whatever worker it lands in.

    Required keys: ``img`` (uint8, H, W, 3), ``sample_idx``.

    Modified keys: ``img``.

    Args:
        augment (dict): Config of a :class:`BatchRandAugment` or
            :class:`BatchAutoAugment`.
        channel_order (str): Of the images, ``'rgb'`` or ``'bgr'`` (files read
            by the host). Defaults to ``'rgb'``.
        seed (int): Seed of the draws. Defaults to 0.

    Raises:
        ValueError: If ``channel_order`` is unknown.
        KeyError: If a sample has no ``sample_idx``.

    Example:
        >>> train_pipeline = [
        ...     dict(type='gssl_mm.PillowAugment',
        ...          augment=dict(type='gssl_mm.BatchRandAugment')),
        ...     dict(type='PackInputs')]
    """

    def __init__(self, augment: dict, channel_order: str = 'rgb',
                 seed: int = 0) -> None:
        super().__init__(channel_order, seed)
        self.step = -1 if self.flip_channels else 1
        self.augment = TASK_UTILS.build(augment)

    def transform(self, results: dict) -> dict:
        """Augment ``results['img']``."""
        generator = self.generator(results, 'augment')
        image = np.ascontiguousarray(results['img'][..., ::self.step])
        draws = self.augment.sample(1, image.shape[:2], generator)
        # A copy: Pillow's memory cannot be written to
        out = np.array(self.run(Image.fromarray(image), *draws))
        results['img'] = np.ascontiguousarray(out[..., ::self.step])
        return results

    def run(self, image: Image.Image, operations, magnitudes,
            squares=None) -> Image.Image:
        """Run what the batched form drew for one image, ``(1, ...)`` each."""
        for position, magnitude in zip(
                operations[0].tolist(), magnitudes[0].tolist(), strict=True):
            image = pillow_operation(image, OPERATIONS[position], magnitude,
                                     self.augment.fill)
        if squares is not None and self.augment.cutout:
            image = _erase(image, *squares[0].tolist(),
                           self.augment.cutout_fill)
        return image


def _erase(image: Image.Image, top: int, left: int, side: int,
           fill: Sequence[int]) -> Image.Image:
    """Draw a filled square, clipped at the border."""
    if side < 1:
        return image
    image = image.copy()
    ImageDraw.Draw(image).rectangle(
        (left, top, left + side - 1, top + side - 1), fill=tuple(fill))
    return image
