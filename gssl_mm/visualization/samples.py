"""The images that figures show: of a config's data, or files."""
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gssl_mm.tooling.pretext_browser import build_dataset

from .errors import SampleError


@dataclass
class Samples:
    """Images with what is known of them.

    Args:
        images (Tensor): uint8 RGB ``(N, 3, H, W)``.
        labels (Tensor, optional): int64 ``(N,)``; None for files.
        classes (Sequence[str], optional): Names of the classes.
        titles (list[str]): A title an image.
    """

    images: Tensor
    labels: Tensor | None = None
    classes: Sequence[str] | None = None
    titles: list[str] = field(default_factory=list)

    def class_name(self, label: int) -> str:
        """Name of a class, its number where there is none."""
        return str(self.classes[label]) if self.classes else f'class {label}'


def _innermost(loader: dict) -> dict:
    dataset = loader['dataset']
    while dataset.get('dataset'):
        dataset = dataset['dataset']
    return dataset


def plain_dataset(cfg: Any, phase: str = 'test') -> Any:
    """Build a data set with the pipeline of the tests: no augmentation.

    Args:
        cfg (Config): With the loader of the phase.
        phase (str): ``'train'``, ``'val'`` or ``'test'``.
    """
    from mmengine.registry import init_default_scope
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    cfg = cfg.copy()
    if phase == 'train' and cfg.get('test_dataloader'):
        _innermost(cfg.train_dataloader)['pipeline'] = _innermost(
            cfg.test_dataloader)['pipeline']
    return build_dataset(cfg, phase)


def labels_of(dataset: Any) -> np.ndarray:
    """Labels of all images, without reading an image."""
    if hasattr(dataset, 'get_gt_labels'):
        return np.asarray(dataset.get_gt_labels(), np.int64)
    return np.array([dataset.get_cat_ids(i)[0] for i in range(len(dataset))])


def stratified(labels: np.ndarray, per_class: int, seed: int = 0) -> list[int]:
    """Positions of equally many images a class, mixed, by a seed.

    A class with fewer images gives all.

    Args:
        labels (ndarray): int64 ``(N,)``.
        per_class (int): At least 1.
        seed (int): Defaults to 0.

    Raises:
        SampleError: ``per_class`` is less than 1.
    """
    if per_class < 1:
        raise SampleError(f'at least 1 image a class, got {per_class}.')
    rng = np.random.default_rng(seed)
    picked = [rng.permutation(np.flatnonzero(labels == c))[:per_class]
              for c in np.unique(labels)]
    return rng.permutation(np.concatenate(picked)).tolist()


def one_per_class(labels: np.ndarray, limit: int, seed: int = 0) -> list[int]:
    """Position of one random image a class, in the order of classes."""
    rng = np.random.default_rng(seed)
    return [int(rng.choice(np.flatnonzero(labels == c)))
            for c in np.unique(labels)[:limit]]


def _check(positions: Sequence[int], length: int) -> None:
    wrong = [i for i in positions if not 0 <= i < length]
    if wrong or not len(positions):
        raise SampleError(
            f'images {wrong[:5] or "none"} asked for; allowed are 0 to '
            f'{length - 1} of this data set, at least one.')


def from_dataset(dataset: Any, positions: Sequence[int],
                 to_rgb: bool = False) -> Samples:
    """Read images of a data set.

    Args:
        dataset (Dataset): Of :func:`plain_dataset`.
        positions (Sequence[int]): Which.
        to_rgb (bool): Whether its images are BGR, as the config's
            ``data_preprocessor.to_rgb`` says.

    Raises:
        SampleError: A position does not exist, or images differ in size.
    """
    _check(positions, len(dataset))
    items = [dataset[i] for i in positions]
    if len({item['inputs'].shape for item in items}) > 1:
        raise SampleError('the images have different sizes; the test pipeline '
                          'has to bring them to one.')
    images = torch.stack([item['inputs'] for item in items])
    labels = torch.tensor([int(i['data_samples'].gt_label[0]) for i in items])
    classes = (getattr(dataset, 'metainfo', None) or {}).get('classes')
    found = Samples(images.flip(1) if to_rgb else images, labels, classes)
    found.titles = [found.class_name(int(c)) for c in labels]
    return found


def _resized(path: str, size: int | None) -> Tensor:
    import cv2

    from gssl_mm.apis.inferencer import read_image
    image = read_image(path)[..., ::-1]
    if size:
        shrink = size < min(image.shape[:2])
        image = cv2.resize(np.ascontiguousarray(image), (size, size),
                           interpolation=cv2.INTER_AREA if shrink
                           else cv2.INTER_CUBIC)
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)


def from_files(sources: Sequence[str | Path], size: int | None = None,
               limit: int = 64) -> Samples:
    """Read image files, and the files of folders.

    Args:
        sources (Sequence[str | Path]): Files and folders.
        size (int, optional): Resize to this side. Defaults to None, as it is;
            then all have to be of one size.
        limit (int): At most so many. Defaults to 64.

    Raises:
        NotAnImageError: A file is no image.
        FileNotFoundError: It does not exist.
        SampleError: The files have several sizes and ``size`` is None.
    """
    from gssl_mm.apis.inferencer import find_images
    paths = [p for source in sources for p in find_images(source)][:limit]
    images = [_resized(path, size) for path in paths]
    shapes = {tuple(image.shape[1:]) for image in images}
    if len(shapes) > 1:
        raise SampleError(
            f'the images have different sizes, {sorted(shapes)[:4]}. Give '
            'the side that the network was trained with: --size 32.')
    return Samples(torch.stack(images), titles=[Path(p).stem for p in paths])


__all__ = [
    'Samples', 'from_dataset', 'from_files', 'labels_of', 'one_per_class',
    'plain_dataset', 'stratified'
]
