"""A grid: an image a row, a model a column, where each of them looks."""
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .cam import METHODS, class_activation_map, enlarge, grad_cam
from .samples import Samples
from .style import GREY, new_figure, save_figure
from .trained_model import TrainedModel


@dataclass
class ModelMaps:
    """What one model sees in the images.

    Args:
        name (str): Of the model.
        maps (Tensor): ``(N, H, W)`` in [0, 1], of the size of the images.
        predicted (Tensor): int64 ``(N,)``.
        confidence (Tensor): Of the predicted class, ``(N,)`` in [0, 1].
    """

    name: str
    maps: Tensor
    predicted: Tensor
    confidence: Tensor


def model_maps(trained: TrainedModel, images: Tensor, method: str = 'gradcam',
               classes: Tensor | None = None,
               target_layer: str | None = None) -> ModelMaps:
    """Compute the maps of one model.

    Args:
        trained (TrainedModel): The model.
        images (Tensor): uint8 RGB ``(N, 3, H, W)``.
        method (str): ``'gradcam'`` or ``'cam'``. Defaults to ``'gradcam'``.
        classes (Tensor, optional): Whose evidence. Defaults to None, the
            predicted class of each model.
        target_layer (str, optional): Of Grad-CAM. Defaults to None, the last
            map of the backbone.

    Raises:
        ValueError: The method is unknown, or a layer is named for CAMs, which
            are those of the last map.
    """
    if method not in METHODS:
        raise ValueError(f'method must be one of {METHODS}, got {method!r}.')
    if method == 'cam' and target_layer:
        raise ValueError(
            f'target_layer {target_layer!r} is for gradcam: a class activation '
            'map is that of the last map. Leave it out.')
    inputs = trained.prepare(images)
    with torch.no_grad():
        scores = trained.model(inputs, mode='tensor').float().softmax(1)
    confidence, predicted = scores.cpu().max(1)
    if method == 'gradcam':
        maps = grad_cam(trained.model, inputs, classes, target_layer)
    else:
        maps = class_activation_map(trained.model, inputs, classes)
    return ModelMaps(trained.name, enlarge(maps.cpu(), images.shape[2:]),
                     predicted, confidence)


def overlay(images: Tensor, maps: Tensor, colormap: str = 'inferno',
            image_weight: float = 0.5) -> np.ndarray:
    """Blend images with coloured maps.

    Note:
        The papers' figures have the colour map ``'jet'``, on which light and
        dark do not tell strong from weak, and an image weight of 0.7.

    Args:
        images (Tensor): uint8 RGB ``(N, 3, H, W)``.
        maps (Tensor): ``(N, H, W)`` in [0, 1].
        colormap (str): Of matplotlib. Defaults to ``'inferno'``, which grows
            lighter throughout and so needs no colour vision.
        image_weight (float): In [0, 1]. Defaults to 0.5.

    Returns:
        ndarray: uint8 ``(N, H, W, 3)``.

    Raises:
        ValueError: The colour map is unknown or the weight out of range.
    """
    from matplotlib import colormaps
    if colormap not in colormaps or not 0 <= image_weight <= 1:
        raise ValueError(
            'a colour map of matplotlib (inferno, viridis, jet...) and an '
            f'image_weight in [0, 1] are needed, got {colormap!r} and '
            f'{image_weight}.')
    heat = colormaps[colormap](maps.numpy())[..., :3]
    plain = images.permute(0, 2, 3, 1).numpy() / 255
    mixed = image_weight * plain + (1 - image_weight) * heat
    return (255 * mixed).round().clip(0, 255).astype(np.uint8)


def caption(samples: Samples, found: ModelMaps, index: int) -> str:
    """Predicted class, its confidence, and whether it is right."""
    label = int(found.predicted[index])
    mark = ''
    if samples.labels is not None:
        mark = ' ✓' if label == int(samples.labels[index]) else ' ✗'
    return (f'{samples.class_name(label)} '
            f'{100 * float(found.confidence[index]):.0f}%{mark}')


def _panel(axes, picture: np.ndarray, title: str, smooth: bool) -> None:
    axes.imshow(picture, interpolation='bilinear' if smooth else 'nearest')
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(GREY)
    axes.set_xlabel(title, fontsize=7, labelpad=2)


def plot_cam_grid(samples: Samples, found: Sequence[ModelMaps],
                  path: str | Path, colormap: str = 'inferno',
                  image_weight: float = 0.5) -> list[Path]:
    """Draw images in rows and models in columns, as in Figure 7 of G-SSL.

    Args:
        samples (Samples): The images.
        found (Sequence[ModelMaps]): Of the models.
        path (str | Path): Where to; PNG and SVG are written.
        colormap (str): As :func:`overlay`.
        image_weight (float): As :func:`overlay`.

    Returns:
        list[Path]: The files written.
    """
    rows, cols = len(samples.images), len(found) + 1
    figure, axes = new_figure(1.35 * cols, 1.5 * rows + .3, rows, cols,
                              squeeze=False)
    plain = samples.images.permute(0, 2, 3, 1).numpy()
    for row in range(rows):
        _panel(axes[row, 0], plain[row], samples.titles[row], False)
    for col, model in enumerate(found, 1):
        mixed = overlay(samples.images, model.maps, colormap, image_weight)
        for row in range(rows):
            _panel(axes[row, col], mixed[row], caption(samples, model, row),
                   True)
    for col, name in enumerate(['image', *(m.name for m in found)]):
        axes[0, col].set_title(name, fontsize=8)
    return save_figure(figure, path)


__all__ = ['ModelMaps', 'caption', 'model_maps', 'overlay', 'plot_cam_grid']
