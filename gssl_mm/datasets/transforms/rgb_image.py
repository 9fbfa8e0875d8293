"""Image files as the datasets that hold arrays have them."""
import numpy as np
from mmcv.image import imresize
from mmcv.transforms import BaseTransform

from gssl_mm.registry import TRANSFORMS


class NotAnImageError(ValueError):
    """A file or an array given as an image is none."""


def check_image(image: object, name: str = 'the input') -> np.ndarray:
    """Return a colour image, or say why it is none.

    Raises:
        NotAnImageError: It is not uint8 ``(H, W, 3)`` with pixels in it.
    """
    if (not isinstance(image, np.ndarray) or image.dtype != np.uint8
            or image.ndim != 3 or image.shape[2] != 3 or not image.size):
        found = (f'{image.dtype} {image.shape}' if isinstance(
            image, np.ndarray) else type(image).__name__)
        raise NotAnImageError(
            f'{name} is no colour image: got {found}, expected uint8 '
            '(H, W, 3) with values 0 to 255.')
    return image


@TRANSFORMS.register_module()
class RGBImage(BaseTransform):
    """Bring a decoded picture to the order and size of an array dataset.

    The images of CIFAR and its like are RGB arrays of one size. A picture that
    ``LoadImageFromFile`` or an inferencer of the host has decoded is BGR and
    of any size: it is put into RGB order and resized as a whole, by areas where
    it shrinks. What comes from an array dataset passes unchanged, so that the
    same test pipeline serves the dataset, files, the host's inferencers, CAM
    tools and MMDeploy.

    A sample is a dataset's array when it has a ``sample_idx`` and no
    ``img_path``.

    Args:
        size (int): Side of the result in pixels. Defaults to 32.

    Raises:
        ValueError: If ``size`` is not positive.
        NotAnImageError: If ``img`` is not uint8 ``(H, W, 3)``.

    Example:
        >>> from gssl_mm.registry import TRANSFORMS
        >>> transform = TRANSFORMS.build(dict(type='gssl_mm.RGBImage', size=8))
        >>> blue = np.zeros((16, 16, 3), np.uint8)
        >>> blue[..., 0] = 255
        >>> transform(dict(img=blue))['img'][0, 0].tolist()
        [0, 0, 255]
    """

    def __init__(self, size: int = 32) -> None:
        if size < 1:
            raise ValueError(f'size must be at least 1, but got {size}')
        self.size = size

    def transform(self, results: dict) -> dict:
        """Convert ``img``, unless it is an array dataset's."""
        if 'sample_idx' in results and 'img_path' not in results:
            return results
        image = check_image(
            results.get('img'), str(results.get('img_path', 'the input')))
        image = np.ascontiguousarray(image[..., ::-1])
        if image.shape[:2] != (self.size, self.size):
            shrinks = min(image.shape[:2]) > self.size
            image = imresize(
                image, (self.size, self.size),
                interpolation='area' if shrinks else 'bilinear')
        results['img'] = image
        results['img_shape'] = image.shape[:2]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size})'


__all__ = ['NotAnImageError', 'RGBImage', 'check_image']
