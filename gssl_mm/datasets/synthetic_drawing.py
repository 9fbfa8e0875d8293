"""Drawing of the built-in shapes, all images of a group at once."""
from collections.abc import Callable

import numpy as np

# The late ones, rare in a long tail, are easily taken for an early one.
SHAPES = ('disc', 'square', 'triangle', 'plus', 'bars', 'ring', 'frame',
          'crescent', 'diamond', 'cross')

# Top to bottom: haze, blue, deep blue. Red < green < blue everywhere.
_SKY = np.array([[.42, .62, .80], [.18, .44, .76], [.06, .30, .55]],
                np.float32)
# Of the waves against the horizontal.
_SLANT = np.pi / 8

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
    _paint(images, axis, labels, (.34, .58), .38, generator)
    grain = generator.standard_normal(images.shape, dtype=np.float32)
    images += noise * grain
    return (images.clip(0, 1) * 255 + .5).astype(np.uint8)


def _uniform(generator: np.random.Generator, low: float, high: float,
             *shape: int) -> np.ndarray:
    values = generator.random(shape, dtype=np.float32)
    return low + (high - low) * values


def _background(axis: np.ndarray, count: int,
                generator: np.random.Generator) -> np.ndarray:
    """Sky from top to bottom, light from one side, waves on a slant."""
    aside = axis + _uniform(generator, -.12, .12, count, 1, 1)
    height = (axis + 1) / 2 + _uniform(generator, -.12, .12, count, 1)
    stops = np.linspace(0, 1, len(_SKY))
    sky = np.stack([np.interp(height, stops, hue) for hue in _SKY.T], -1)
    down = np.cos(_SLANT) * axis[:, None] + np.sin(_SLANT) * aside
    light = .95 - .2 * aside + _waves(down, generator)
    return (sky[:, :, None] * light[..., None]).astype(np.float32)


def _waves(down: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Waves that brighten slowly and darken fast on the way down.

    They have a direction, and with a slant of an eighth of a half turn the
    eight turned and mirrored views of a patch run in eight evenly spaced ones,
    of which an untouched image knows only one.
    """
    count = len(down)
    waves = _uniform(generator, 1.6, 2, count, 1, 1)
    phase = _uniform(generator, 0, 1, count, 1, 1)
    rise = (waves * down + phase) % 1
    profile = np.minimum(rise / .75, (1 - rise) / .25)
    return _uniform(generator, .85, .95, count, 1, 1) * (profile - .5)


def _paint(images: np.ndarray, axis: np.ndarray, labels: np.ndarray,
           radius: tuple[float, float], reach: float,
           generator: np.random.Generator) -> None:
    """Paint one shape of a random colour into every image."""
    count = len(labels)
    centre = _uniform(generator, -reach, reach, 2, count, 1, 1)
    angle = _uniform(generator, -.3, .3, count, 1, 1)
    scale = _uniform(generator, *radius, count, 1, 1)
    colour = _uniform(generator, 0, 1, count, 1, 1, 3)
    opacity = _uniform(generator, .6, 1, count, 1, 1)
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
