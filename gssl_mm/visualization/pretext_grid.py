"""A labelled grid: images and what the pretext tasks made of them."""
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from .style import GREY, PALETTE, new_figure, save_figure

QUADRANTS = ('top left', 'top right', 'bottom left', 'bottom right')
CHANNELS = ('RGB', 'RBG', 'GRB', 'GBR', 'BRG', 'BGR')


def _turn(label: int) -> str:
    return f'{90 * label}°'


def describe_label(task: Any, label: int) -> str:
    """Say in words what a task's label stands for.

    Args:
        task (PretextTask): The task; one that is not of this package is
            described by its name and the number.
        label (int): Its label.
    """
    kind = type(task).__name__
    if kind == 'LocalRotation':
        return f'{QUADRANTS[label // 4]}, {_turn(label % 4)}'
    if kind in ('LocalRotationImplicit', 'GlobalRotation'):
        return f'turned {_turn(label)}'
    if kind == 'LocalFlip':
        return f'{task.axis} flip' if label else 'no flip'
    if kind == 'LocalChannelPermutation':
        return CHANNELS[label]
    return f'{task.name} {label}'


def _picture(image: Tensor) -> np.ndarray:
    array = image.detach().cpu().float().permute(1, 2, 0).numpy()
    return (array.clip(0, 255) / 255).astype(np.float32)


def _frame(axes: Any, quadrant: int, height: int, width: int) -> None:
    from matplotlib.patches import Rectangle
    top, left = (quadrant // 2) * (height // 2), (quadrant % 2) * (width // 2)
    size = (width - width // 2 if left else width // 2,
            height - height // 2 if top else height // 2)
    axes.add_patch(Rectangle((left - .5, top - .5), *size, fill=False,
                             edgecolor=PALETTE[1], linewidth=1.2))


def _show(axes: Any, image: Tensor, title: str) -> None:
    axes.imshow(_picture(image), interpolation='nearest')
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(GREY)
    axes.set_title(title, fontsize=7)


def plot_pretext_grid(images: Tensor, transform: Any, path: str | Path,
                      generator: Any = None, names: list[str] | None = None,
                      cols: int = 4) -> list[Path]:
    """Draw pairs of an image and its transformation, with the labels.

    Args:
        images (Tensor): ``(N, 3, H, W)`` RGB in [0, 255].
        transform (PretextTransform): The composed tasks.
        path (str | Path): Where to; PNG and SVG are written.
        generator (torch.Generator, optional): Source of the draws.
        names (list[str], optional): A title an image, its class for instance.
        cols (int): Pairs a row. Defaults to 4.

    Returns:
        list[Path]: The files written.
    """
    draw = transform.sample(len(images), tuple(images.shape[-2:]), generator)
    changed, labels = transform.apply(images, draw), transform.labels(draw)
    rows = -(-len(images) // cols)
    figure, axes = new_figure(3.0 * cols, 1.95 * rows, rows, 2 * cols,
                              squeeze=False)
    for index, pair in enumerate(axes.reshape(-1, 2)):
        if index >= len(images):
            pair[0].axis('off')
            pair[1].axis('off')
            continue
        _show(pair[0], images[index], names[index] if names else 'original')
        words = [describe_label(task, int(label)) for task, label in zip(
            transform.tasks, labels[index], strict=True)]
        _show(pair[1], changed[index], '\n'.join(words))
        if transform.region == 'quadrant':
            _frame(pair[1], int(draw.region[index, 0]), *images.shape[-2:])
    return save_figure(figure, path)


__all__ = ['describe_label', 'plot_pretext_grid']
