"""Predictions for files, folders and arrays."""
import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from mmcv.image import imread
from mmengine.model import BaseModel
from mmpretrain.apis import ImageClassificationInferencer

from gssl_mm.datasets.transforms.rgb_image import NotAnImageError, check_image

from .model import get_model

SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.ppm', '.pgm', '.tif', '.tiff',
            '.webp')


def find_images(source: str | os.PathLike) -> list[str]:
    """Image files of a folder and the folders in it, sorted; or one file.

    Args:
        source (str | PathLike): A folder, of which files with the suffix of an
            image are taken, or any file.

    Raises:
        FileNotFoundError: There is no such file or folder, or no image in it.
    """
    path = Path(source)
    if not path.is_dir():
        if not path.exists():
            raise FileNotFoundError(f'{source}: there is no such file.')
        return [str(path)]
    found = sorted(str(p) for p in path.rglob('*')
                   if p.suffix.lower() in SUFFIXES and p.is_file())
    if not found:
        raise FileNotFoundError(
            f'{source} holds no image: looked for {", ".join(SUFFIXES)}.')
    return found


def read_image(source: str | os.PathLike | np.ndarray,
               rgb_arrays: bool = False) -> np.ndarray:
    """A colour image in BGR order, uint8 ``(H, W, 3)``.

    Raises:
        NotAnImageError: The file or the array is none.
        FileNotFoundError: There is no such file.
    """
    if isinstance(source, np.ndarray):
        image = check_image(source, 'the array')
        return image[..., ::-1] if rgb_arrays else image
    try:
        image = imread(source)
    except cv2.error as error:
        image, reason = None, f' ({error.err or error})'
    else:
        reason = ''
    if image is None:
        raise NotAnImageError(
            f'{source} is not an image{reason}: it could not be decoded. '
            f'Expected a complete file of {", ".join(SUFFIXES)}.')
    return image


class ImageInferencer(ImageClassificationInferencer):
    """The host's classification inferencer, with folders and clear errors.

    The host's class works on the models of this package too. Here a folder is
    searched in a fixed order with the folders in it, other files are left out,
    what can't be decoded is an error of its own, and arrays may be RGB.

    Args:
        model (ImageClassifier): What :func:`gssl_mm.get_model` returns, or
            what it takes.
        pretrained (str | bool): As there. Defaults to True.
        device (str | torch.device, optional): As there.
        classes (Sequence[str], optional): Names of the classes. Defaults to
            None, those of the checkpoint or of the test data.
        rgb_arrays (bool): Whether arrays are RGB, as Pillow and the datasets
            of this package have them. Defaults to False, BGR, as everywhere in
            the host.
        **kwargs: As :func:`gssl_mm.get_model`.

    Shape:
        - arrays: uint8 ``(H, W, 3)`` in 0 to 255.

    Raises:
        NotAnImageError: A file or an array is no image.
        FileNotFoundError: A file does not exist, or a folder has no image.

    Example:
        >>> import gssl_mm
        >>> from gssl_mm.apis import ImageInferencer
        >>> model = gssl_mm.get_model('gssl_mm::gssl/resnet32_cifar10lt.py')
        >>> inferencer = ImageInferencer(model)
        >>> inferencer.classes[:3]
        ('airplane', 'automobile', 'bird')
    """

    def __init__(self, model, pretrained: str | bool = True, device=None,
                 classes: Sequence[str] | None = None,
                 rgb_arrays: bool = False, **kwargs) -> None:
        if not isinstance(model, BaseModel):
            model = get_model(model, pretrained, device, **kwargs)
            pretrained, kwargs = False, {}
        super().__init__(model, pretrained, device, classes, **kwargs)
        self.rgb_arrays = rgb_arrays

    def _inputs_to_list(self, inputs) -> list:
        if isinstance(inputs, str | os.PathLike):
            return find_images(inputs)
        if isinstance(inputs, Sequence):
            return [str(item) if isinstance(item, os.PathLike) else item
                    for item in inputs]
        return [inputs]

    def preprocess(self, inputs: list, batch_size: int = 1):
        """Yield batches."""
        return super().preprocess(self._decoded(inputs), batch_size)

    def _decoded(self, inputs: list):
        for item in inputs:
            yield read_image(item, self.rgb_arrays)


__all__ = ['ImageInferencer', 'find_images', 'read_image']
