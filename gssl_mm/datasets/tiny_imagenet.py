"""Tiny-ImageNet in the layout of its archive, held in one array."""
import mmcv
import numpy as np
from mmengine.fileio import (
    exists,
    get,
    isdir,
    join_path,
    list_dir_or_file,
    list_from_file,
)

from gssl_mm.registry import DATASETS

from .array_dataset import ArrayDataset, ArraySource
from .errors import ArchiveContentError

SIZE = 64


@DATASETS.register_module()
class TinyImageNet(ArrayDataset):
    """`Tiny-ImageNet <http://cs231n.stanford.edu/tiny-imagenet-200.zip>`_.

    200 classes of 500 training and 50 validation images; the test images have
    no labels. The archive is read as it is unpacked::

        tiny-imagenet-200
        ├── wnids.txt
        ├── words.txt
        ├── train/n01443537/images/n01443537_0.JPEG ...
        └── val
            ├── val_annotations.txt
            └── images/val_0.JPEG ...

    Note:
        Labels are the places of the WordNet ids in alphabetical order, which is
        not that of ``wnids.txt``. Some files are grayscale: they become RGB.

    Args:
        data_root (str): The folder with ``wnids.txt``.
        split (str): 'train' or 'val'. Default: 'train'.
        **kwargs: Arguments of :class:`ArrayDataset`.

    Shape:
        ``img`` (64, 64, 3) uint8 RGB in [0, 255], ``gt_label`` integer.

    Raises:
        ValueError: ``split`` is unknown.
        FileNotFoundError: A file or folder is missing; it is named.
        ArchiveContentError: A file is no image of 64x64, or a line of the
            annotations is of no known class.

    Example:
        >>> dataset = dict(
        ...     type='gssl_mm.TinyImageNet', split='val',
        ...     data_root='data/tiny-imagenet-200',
        ...     pipeline=[dict(type='PackInputs')])
    """

    def __init__(self, data_root: str = '', split: str = 'train',
                 **kwargs) -> None:
        if split not in ('train', 'val'):
            raise ValueError(
                "split is 'train' or 'val' for TinyImageNet (the test images "
                f'have no labels), got {split!r}')
        self.split = split
        super().__init__(data_root=data_root, **kwargs)

    def load_arrays(self) -> ArraySource:
        """List the files of the split; images are read later."""
        wnids = sorted(self._lines('wnids.txt'))
        if not self._metainfo.get('classes'):
            self._metainfo['classes'] = self._names(wnids)
        list_files = (self._train_files if self.split == 'train'
                      else self._val_files)
        files, labels = list_files(wnids)

        def read(positions: np.ndarray) -> np.ndarray:
            images = np.empty((len(positions), SIZE, SIZE, 3), np.uint8)
            for image, position in zip(images, positions, strict=True):
                image[:] = read_rgb(files[position])
            return images

        return ArraySource(np.asarray(labels, np.int64), read)

    def _path(self, *names: str) -> str:
        path = join_path(self.data_root, *names)
        if not exists(path):
            raise FileNotFoundError(
                f'TinyImageNet: {path} not found. Unpack '
                'tiny-imagenet-200.zip and set data_root to the folder that '
                'holds wnids.txt, train and val')
        return path

    def _lines(self, *names: str) -> list[str]:
        lines = list_from_file(self._path(*names))
        return [line for line in lines if line.strip()]

    def _names(self, wnids: list[str]) -> tuple[str, ...]:
        """First words of the classes, or their ids where there are none."""
        words = {}
        if exists(join_path(self.data_root, 'words.txt')):
            words = dict(
                line.split('\t', 1) for line in self._lines('words.txt'))
        return tuple(words.get(w, w).split(',')[0].strip() for w in wnids)

    def _train_files(self, wnids: list[str]) -> tuple[list, list]:
        files, labels = [], []
        for label, wnid in enumerate(wnids):
            folder = self._path('train', wnid, 'images')
            if not isdir(folder):
                raise FileNotFoundError(f'TinyImageNet: {folder} is no folder')
            found = sorted(list_dir_or_file(folder, list_dir=False))
            files += [join_path(folder, name) for name in found]
            labels += [label] * len(found)
        return files, labels

    def _val_files(self, wnids: list[str]) -> tuple[list, list]:
        place = {wnid: label for label, wnid in enumerate(wnids)}
        folder = self._path('val', 'images')
        files, labels = [], []
        for line in self._lines('val', 'val_annotations.txt'):
            name, wnid, *_ = [*line.split('\t'), '']
            if wnid not in place:
                raise ArchiveContentError(
                    f'val_annotations.txt has the class {wnid!r} in the line '
                    f'{line!r}, which is not in wnids.txt. Unpack the archive '
                    'again')
            files.append(join_path(folder, name))
            labels.append(place[wnid])
        return files, labels


def read_rgb(path: str) -> np.ndarray:
    """Decode a file to RGB, whatever its colours are stored as.

    Raises:
        FileNotFoundError: The file is missing.
        ArchiveContentError: It is not an image, or of another size.
    """
    if not exists(path):
        raise FileNotFoundError(
            f'TinyImageNet: the image {path} is missing. Unpack the archive '
            'again')
    image = mmcv.imfrombytes(get(path), flag='color')
    if image is None or image.shape != (SIZE, SIZE, 3):
        found = 'no image' if image is None else f'of {image.shape[:2]} pixels'
        raise ArchiveContentError(
            f'{path} is {found}, but Tiny-ImageNet has {SIZE}x{SIZE}. Unpack '
            'the archive again')
    return image[..., ::-1]


__all__ = ['TinyImageNet']
