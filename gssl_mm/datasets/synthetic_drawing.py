"""Drawing of the built-in shapes, all images of a group at once."""
from collections.abc import Callable

import numpy as np

SHAPES = ('disc', 'square', 'triangle', 'ring', 'plus', 'diamond', 'frame',
          'cross', 'crescent', 'bars')

# Top to bottom: haze, blue, deep blue. Red < green < blue everywhere.
_SKY = np.array([[.52, .72, .95], [.22, .46, .82], [.03, .20, .42]],
                np.float32)
_LIGHT = np.array([.40, .26, .08], np.float32)

Grid = np.ndarray
Distance = Callable[[Grid, Grid], Grid]


def _box(x: Grid, y: Grid, width: float, height: float) -> Grid:
    return np.maximum(np.abs(x) - width, np.abs(y) - height)


def _plus(x: Grid, y: Grid) -> Grid:
    return np.minimum(_box(x, y, 1, .3), _box(x, y, .3, 1))


def _triangle(x: Grid, y: Grid) -> Grid:
    side = .866 * np.abs(x) - .5 * y - .5
    return np.maximum(side, y - .75)


def _crescent(x: Grid, y: Grid) -> Grid:
    inner = np.hypot(x - .55, y) - .75
    return np.maximum(np.hypot(x, y) - 1, -inner)


def _bars(x: Grid, y: Grid) -> Grid:
    bars = np.abs(np.abs(y) - .66)
    bars = np.minimum(bars, np.abs(y)) - .2
    return np.maximum(bars, np.abs(x) - .95)


# Signed distance (negative inside) of every shape at radius 1, y downwards.
_DISTANCES: dict[str, Distance] = {
    'disc': lambda x, y: np.hypot(x, y) - .9,
    'square': lambda x, y: _box(x, y, .8, .8),
    'triangle': _triangle,
    'ring': lambda x, y: np.abs(np.hypot(x, y) - .75) - .22,
    'plus': _plus,
    'diamond': lambda x, y: .707 * (np.abs(x) + np.abs(y) - 1.1),
    'frame': lambda x, y: np.abs(_box(x, y, .68, .68)) - .2,
    'cross': lambda x, y: _plus(.707 * (x - y), .707 * (x + y)),
    'crescent': _crescent,
    'bars': _bars,
}


def draw_images(labels: np.ndarray, size: int, noise: float,
                generator: np.random.Generator) -> np.ndarray:
    """Draw one image a label.

    Args:
        labels (np.ndarray): Positions in :data:`SHAPES`, (N,).
        size (int): Side of the images in pixels.
        noise (float): Standard deviation of the noise in parts of 255.
        generator (np.random.Generator): The only source of randomness.

    Returns:
        np.ndarray: Images, (N, size, size, 3) uint8 RGB.
    """
    axis = (np.arange(size, dtype=np.float32) + .5) / size * 2 - 1
    count = len(labels)
    images = _background(axis, count, generator)
    for _ in range(2):
        speck = np.zeros(count, np.int64)
        _paint(images, axis, speck, (.05, .12), .9, generator)
    _paint(images, axis, labels, (.34, .62), .38, generator)
    shadow = generator.standard_normal(images.shape, dtype=np.float32)
    images += noise * shadow
    return (images.clip(0, 1) * 255 + .5).astype(np.uint8)


def _uniform(generator: np.random.Generator, low: float, high: float,
             *shape: int) -> np.ndarray:
    values = generator.random(shape, dtype=np.float32)
    return low + (high - low) * values


def _background(axis: np.ndarray, count: int,
                generator: np.random.Generator) -> np.ndarray:
    """Sky from top to bottom, light from the left or the right."""
    shift = _uniform(generator, -.15, .15, count, 1)
    height = (axis + 1) / 2 + shift
    stops = np.linspace(0, 1, len(_SKY))
    sky = np.stack([np.interp(height, stops, hue) for hue in _SKY.T], -1)
    sky *= _uniform(generator, .85, 1.1, count, 1, 1)
    side = np.where(generator.random(count) < .5, -1, 1)[:, None]
    glow = (1 + side * axis) / 2 * _uniform(generator, .7, 1.2, count, 1)
    images = sky[:, :, None] + glow[:, None, :, None] * _LIGHT
    return images.astype(np.float32)


def _paint(images: np.ndarray, axis: np.ndarray, labels: np.ndarray,
           radius: tuple[float, float], reach: float,
           generator: np.random.Generator) -> None:
    """Paint one shape of a random colour into every image."""
    count = len(labels)
    centre = _uniform(generator, -reach, reach, 2, count, 1, 1)
    angle = _uniform(generator, -.25, .25, count, 1, 1)
    scale = _uniform(generator, *radius, count, 1, 1)
    colour = _uniform(generator, 0, 1, count, 1, 1, 3)
    opacity = _uniform(generator, .55, 1, count, 1, 1)
    x, y = axis[None, None, :] - centre[0], axis[None, :, None] - centre[1]
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    x, y = cos * x + sin * y, cos * y - sin * x
    inside = np.empty_like(x)
    for label in np.unique(labels):
        one = labels == label
        inside[one] = _DISTANCES[SHAPES[label]](x[one], y[one])
    # One pixel of soft edge.
    edge = scale * len(axis) / 2
    alpha = (.5 - inside * edge).clip(0, 1) * opacity
    images += alpha[..., None] * (colour - images)


__all__ = ['SHAPES', 'draw_images']
