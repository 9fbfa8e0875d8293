"""A classifier as a function of pixels in [0, 1]."""
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from .base import check_pixels
from .errors import PixelSpaceError
from .functional import check_logits

SCALE = 255
# Pixels that are this near to a whole number of 0 to 255 are that number
WHOLE = 1e-2


def pixel_affine(preprocessor: nn.Module) -> tuple[Tensor, Tensor] | None:
    """How a preprocessor turns pixels x in [0, 1] into inputs: a x - b.

    Args:
        preprocessor (nn.Module): The model's data preprocessor.

    Returns:
        tuple[Tensor, Tensor], optional: a and b, ``(C, 1, 1)``; None if the
        inputs are the pixels themselves (mean 0, std 255).

    Raises:
        PixelSpaceError: If it has no mean and std.
    """
    mean = getattr(preprocessor, 'mean', None)
    std = getattr(preprocessor, 'std', None)
    if not isinstance(mean, Tensor) or not isinstance(std, Tensor):
        raise PixelSpaceError(
            f'{type(preprocessor).__name__} has no mean and std, so that the '
            'scale of the model\'s input is not known. Set data_preprocessor='
            'dict(mean=..., std=...) on the 0 to 255 scale; mean=[0, 0, 0], '
            'std=[255, 255, 255] for a model of pixels in [0, 1]')
    if bool((mean == 0).all() and (std == SCALE).all()):
        return None
    return SCALE / std.double(), mean.double() / std.double()


class PixelModel(nn.Module):
    """Classifier from pixels in [0, 1] to logits, for any attack library.

    The normalisation of the model's data preprocessor is redone inside, so
    that gradients, balls and ranges are those of pixels. RobustBench's,
    pyautoattack's and torchattacks' attacks take it as their model.

    Note:
        Channels are in the order of the model's input: RGB for the data of
        this package.

    Args:
        model (nn.Module): An image classifier with a data preprocessor that
            has ``mean`` and ``std``; a distributed wrapper is taken off.
        dtype (torch.dtype): ``torch.bfloat16`` computes gradients under
            autocast; predictions, which need none, stay in float32. Defaults
            to ``torch.float32``.

    Shape:
        - images: floating-point ``(N, C, H, W)`` in [0, 1].
        - returns: logits ``(N, K)``, float32 or float64.

    Raises:
        PixelSpaceError: If the data preprocessor does not normalise.
        LogitsShapeError: If the head does not return logits ``(N, K)``.

    Example:
        >>> from mmpretrain.registry import MODELS
        >>> from gssl_mm.models.attacks import PixelModel
        >>> model = PixelModel(MODELS.build(dict(
        ...     type='mmpretrain.ImageClassifier',
        ...     backbone=dict(type='gssl_mm.CIFARResNet', depth=8),
        ...     neck=dict(type='mmpretrain.GlobalAveragePooling'),
        ...     head=dict(type='mmpretrain.LinearClsHead', num_classes=10,
        ...               in_channels=64),
        ...     data_preprocessor=dict(
        ...         type='mmpretrain.ClsDataPreprocessor',
        ...         mean=[125., 123., 114.], std=[63., 62., 67.]))))
        >>> model.eval()(torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """

    def __init__(self, model: nn.Module,
                 dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.model = getattr(model, 'module', model)
        self.dtype = dtype
        affine = pixel_affine(self.model.data_preprocessor)
        self.direct = affine is None
        self.register_buffer('factor', None if self.direct else affine[0],
                             persistent=False)
        self.register_buffer('offset', None if self.direct else affine[1],
                             persistent=False)
        self.train(self.model.training)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of a batch of pixels."""
        inputs = images
        if not self.direct:
            inputs = (images * self.factor.to(images)
                      - self.offset.to(images))
        with self._precision(images):
            logits = self.model(inputs)
        return check_logits(logits, len(images))

    def _precision(self, images: Tensor) -> AbstractContextManager:
        low = images.requires_grad and self.dtype != torch.float32
        return torch.autocast(
            images.device.type, self.dtype) if low else nullcontext()

    def pixels(self, data: dict) -> tuple[Tensor, list]:
        """Preprocess a batch of a test loader and undo the normalisation.

        Args:
            data (dict): ``inputs`` and ``data_samples``, as collated.

        Returns:
            tuple[Tensor, list]: Pixels in [0, 1], float32 ``(N, C, H, W)``, and
            the data samples. 8-bit images come back as exact multiples of
            1 / 255.

        Raises:
            PixelSpaceError: If the preprocessor does more than what its mean
                and std say, so that the values are outside of [0, 1].
        """
        data = self.model.data_preprocessor(data, False)
        pixels = data['inputs'].detach()
        if not self.direct:
            pixels = (pixels + self.offset.to(pixels)) / self.factor.to(pixels)
        scaled = pixels * SCALE
        whole = scaled.round()
        if bool(((scaled - whole).abs() < WHOLE).all()):
            pixels = whole / SCALE
        try:
            check_pixels(pixels)
        except PixelSpaceError as error:
            name = type(self.model.data_preprocessor).__name__
            raise PixelSpaceError(f'after {name}, its mean and std undone: '
                                  f'{error}') from error
        return pixels, data['data_samples']

    def channels_last(self) -> 'PixelModel':
        """Store the weights channels-last, in place; values are unchanged."""
        return self.to(memory_format=torch.channels_last)
