"""Tiny-ImageNet in the layout of its archive, decoded once."""
from pathlib import Path

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
from .image_cache import ImageCache, fingerprint
from .image_cache_file import is_mapped, map_images

SIZE = 64
JPEG_START, JPEG_END = b'\xff\xd8', b'\xff\xd9'


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
        Bytes that changed within the picture data of a JPEG file, neither its
        header nor its end, are no error to a decoder and stay unseen.

    The first use decodes all images of the split, in parallel, to one file
    (:class:`~gssl_mm.datasets.image_cache.ImageCache`; 1.2 GB of training
    images), which every later use and all processes map into their memory.
    Names, sizes and labels of the files tell whether it belongs to the data.

    Args:
        data_root (str): The folder with ``wnids.txt``.
        split (str): 'train' or 'val'. Default: 'train'.
        cache (bool): Whether to keep decoded images in a file. False decodes
            them in every run, to memory. Default: True.
        cache_dir (str, optional): Folder of that file,
            ``<name of data_root>-<split>.npy``. Default: None, ``data_root``.
        cache_workers (int, optional): Threads that decode. Default: None, the
            processors that this process may use.
        rebuild_stale (bool): Whether to make a file of another version of the
            data anew instead of refusing it. Default: False.
        **kwargs: Arguments of :class:`ArrayDataset`.

    Shape:
        ``img`` (64, 64, 3) uint8 RGB in [0, 255], ``gt_label`` integer.

    Raises:
        ValueError: ``split`` is unknown.
        FileNotFoundError: A file or folder is missing; it is named.
        ArchiveContentError: A file is no image of 64x64 or was cut off, or a
            line of the annotations is of no known class.
        StaleCacheError: The cache was made from another version of the data.
        BrokenCacheError: A file in the cache's place is none.
        CacheWriteError: The cache can't be written.

    Example:
        >>> dataset = dict(
        ...     type='gssl_mm.TinyImageNet', split='val',
        ...     data_root='data/tiny-imagenet-200',
        ...     pipeline=[dict(type='PackInputs')])
    """

    # Path of the cache and first and last row, while images are mapped
    _mapped: tuple | None = None

    def __init__(self, data_root: str = '', split: str = 'train',
                 cache: bool = True, cache_dir: str | None = None,
                 cache_workers: int | None = None,
                 rebuild_stale: bool = False, **kwargs) -> None:
        if split not in ('train', 'val'):
            raise ValueError(
                "split is 'train' or 'val' for TinyImageNet (the test images "
                f'have no labels), got {split!r}')
        self.split = split
        self.cache, self.cache_dir = cache, cache_dir
        self.cache_workers, self.rebuild_stale = cache_workers, rebuild_stale
        super().__init__(data_root=data_root, **kwargs)

    def load_arrays(self) -> ArraySource:
        """List the files of the split; images are read later."""
        wnids = sorted(self._lines('wnids.txt'))
        if not self._metainfo.get('classes'):
            self._metainfo['classes'] = self._names(wnids)
        list_files = (self._train_files if self.split == 'train'
                      else self._val_files)
        files, labels = list_files(wnids)

        def decode(number: int) -> np.ndarray:
            return read_rgb(files[number])

        def read(positions: np.ndarray) -> np.ndarray:
            if self.cache and len(files):
                return self._read_mapped(positions, files, labels, decode)
            images = np.empty((len(positions), SIZE, SIZE, 3), np.uint8)
            for place, number in enumerate(positions):
                images[place] = decode(number)
            return images

        return ArraySource(np.asarray(labels, np.int64), read)

    def _read_mapped(self, positions: np.ndarray, files: list, labels: list,
                     decode) -> np.ndarray:
        """Rows of the cache: a view where they are consecutive."""
        name = f'{Path(self.data_root).resolve().name}-{self.split}.npy'
        path = Path(self.cache_dir or self.data_root) / name
        images = ImageCache(
            path, fingerprint(self.data_root, files, labels),
            (len(files), SIZE, SIZE, 3), self.rebuild_stale).open(
                decode, self.cache_workers)
        if not len(positions) or (np.diff(positions) != 1).any():
            return np.asarray(images[positions])
        first, last = int(positions[0]), int(positions[-1]) + 1
        self._mapped = (str(path), first, last)
        # Indexing a memmap costs as much as a small copy
        return images[first:last].view(np.ndarray)

    def __getstate__(self) -> dict:
        """Leave mapped images out: another process maps them itself."""
        state = self.__dict__.copy()
        if is_mapped(state.get('images')):
            state['images'] = None
        return state

    def __setstate__(self, state: dict) -> None:
        """Map the images again."""
        self.__dict__.update(state)
        if state.get('images', ...) is None:
            path, first, last = self._mapped
            self.images = map_images(path)[first:last].view(np.ndarray)

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
    data = get(path)
    image = mmcv.imfrombytes(data, flag='color') if data else None
    if data.startswith(JPEG_START) and JPEG_END not in data[-64:]:
        # Some decoders fill in grey what is missing, without an error
        found = 'a JPEG file that was cut off'
    elif image is None:
        found = 'no image'
    elif image.shape != (SIZE, SIZE, 3):
        found = f'of {image.shape[:2]} pixels'
    else:
        return image[..., ::-1]
    raise ArchiveContentError(
        f'{path} is {found}, but Tiny-ImageNet has images of {SIZE}x{SIZE}. '
        'Unpack the archive again')


__all__ = ['TinyImageNet']
