"""Built-in images for the demo and for tests."""
import numpy as np

from gssl_mm.registry import DATASETS
from gssl_mm.seeding import stable_seed

from .array_dataset import ArrayDataset, ArraySource
from .synthetic_drawing import SHAPES, draw_images

# Images drawn at a time; each group has a random stream of its own.
_GROUP = 256


@DATASETS.register_module()
class SyntheticShapes(ArrayDataset):
    """Shapes in front of a sea of waves, drawn in memory.

    The class is the shape: its position, size, turn, colour and contrast are
    random, distractors and noise are added. Where an image part belongs can be
    seen in the background: it darkens from top to bottom in a fixed order of
    hues (red < green < blue), and its waves, bright above and dark below their
    crests, run on the same slant everywhere. A quadrant that was turned,
    mirrored in either axis or had its colours permuted breaks with the other
    three and fits nowhere else. A whole image is never seen mirrored: train
    without random flips.

    The same arguments give the same images; the splits and different seeds give
    unrelated ones. Classes are balanced: a long tail comes from
    ``LongTailedDataset`` around it.

    Args:
        num_per_class (int): Images of every class. Default: 200.
        num_classes (int): In [1, 10]. Default: 10.
        split (str): 'train' or 'test'. Default: 'train'.
        seed (int): Seed of the drawing. Default: 0.
        image_size (int): Side in pixels, at least 8. Default: 32.
        noise (float): Standard deviation of the noise, in parts of the full
            range. Default: 0.04.
        **kwargs: Other arguments of :class:`ArrayDataset`, ``pipeline`` first.

    Shape:
        ``img`` (image_size, image_size, 3) uint8 RGB in [0, 255],
        ``gt_label`` integer.

    Raises:
        ValueError: An argument lies outside its range.

    Example:
        >>> train = dict(
        ...     type='gssl_mm.LongTailedDataset', imbalance_ratio=0.05,
        ...     dataset=dict(
        ...         type='gssl_mm.SyntheticShapes', num_per_class=400,
        ...         pipeline=[dict(type='PackInputs')]))
    """

    def __init__(self,
                 num_per_class: int = 200,
                 num_classes: int = 10,
                 split: str = 'train',
                 seed: int = 0,
                 image_size: int = 32,
                 noise: float = 0.04,
                 **kwargs) -> None:
        for name, value, allowed in (
            ('num_per_class', num_per_class, num_per_class >= 1),
            ('num_classes', num_classes, 1 <= num_classes <= len(SHAPES)),
            ('split', split, split in ('train', 'test')),
            ('image_size', image_size, image_size >= 8),
            ('noise', noise, noise >= 0)):
            if not allowed:
                raise ValueError(
                    f'SyntheticShapes: {name}={value!r} is out of range. '
                    f'Allowed: num_per_class >= 1, num_classes 1 to '
                    f"{len(SHAPES)}, split 'train' or 'test', image_size >= "
                    '8, noise >= 0.')
        self.num_per_class = num_per_class
        self.split, self.seed = split, seed
        self.image_size, self.noise = image_size, noise
        metainfo = dict(classes=SHAPES[:num_classes])
        metainfo.update(kwargs.pop('metainfo', None) or {})
        super().__init__(metainfo=metainfo, **kwargs)

    def load_arrays(self) -> ArraySource:
        """Lay out the labels; the images are drawn when they are read."""
        classes = len(self.CLASSES)
        labels = np.tile(np.arange(classes), self.num_per_class)

        def read(positions: np.ndarray) -> np.ndarray:
            size = self.image_size
            images = np.empty((len(positions), size, size, 3), np.uint8)
            for group in np.unique(positions // _GROUP).tolist():
                where = np.flatnonzero(positions // _GROUP == group)
                start = group * _GROUP
                drawn = self._draw(group, labels[start:start + _GROUP])
                images[where] = drawn[positions[where] - start]
            return images

        return ArraySource(labels, read)

    def _draw(self, group: int, labels: np.ndarray) -> np.ndarray:
        generator = np.random.default_rng(
            stable_seed('SyntheticShapes', self.seed, self.split, group))
        return draw_images(labels, self.image_size, self.noise, generator)


__all__ = ['SyntheticShapes']
