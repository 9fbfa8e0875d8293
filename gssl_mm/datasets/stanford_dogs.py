"""Stanford Dogs by its official lists."""
import struct
import zlib
from collections.abc import Iterator

from mat4py import loadmat
from mat4py.loadmat import ParseError
from mmengine.fileio import exists, join_path
from mmpretrain.datasets import BaseDataset

from gssl_mm.registry import DATASETS

from .errors import ArchiveContentError

BROKEN = (LookupError, TypeError, ValueError, ParseError, struct.error,
          zlib.error)


@DATASETS.register_module()
class StanfordDogs(BaseDataset):
    """`Stanford Dogs <http://vision.stanford.edu/aditya86/ImageNetDogs/>`_.

    12,000 training and 8,580 test images of 120 breeds. ``images.tar`` and
    ``lists.tar`` are read as they are unpacked::

        stanford_dogs
        ├── Images/n02085620-Chihuahua/n02085620_10074.jpg ...
        ├── train_list.mat
        └── test_list.mat

    Args:
        data_root (str): The folder with the lists.
        split (str): 'train' or 'test'. Default: 'train'.
        data_prefix (str): Folder of the images. Default: 'Images'.
        **kwargs: Arguments of the host's ``BaseDataset``.

    Raises:
        ValueError: ``split`` is unknown.
        FileNotFoundError: A list or an image is missing; it is named.
        ArchiveContentError: A list is not one of files and labels from 1.

    Example:
        >>> dataset = dict(
        ...     type='gssl_mm.StanfordDogs', data_root='data/stanford_dogs',
        ...     split='test', pipeline=[
        ...         dict(type='LoadImageFromFile'), dict(type='PackInputs')])
    """

    def __init__(self, data_root: str = '', split: str = 'train',
                 data_prefix: str = 'Images', **kwargs) -> None:
        if split not in ('train', 'test'):
            raise ValueError(
                f"split is 'train' or 'test' for StanfordDogs, got {split!r}")
        self.split = split
        super().__init__(ann_file=f'{split}_list.mat', data_root=data_root,
                         data_prefix=data_prefix, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read the list of the split and look for its files."""
        files, labels = self._read_list()
        if not self._metainfo.get('classes'):
            self._metainfo['classes'] = self._breeds(files, labels)
        data_list = []
        for file, label in zip(files, labels, strict=True):
            path = join_path(self.img_prefix, file)
            if not exists(path):
                raise FileNotFoundError(
                    f'StanfordDogs: the image {path} of {self.ann_file} is '
                    'missing. Unpack images.tar again')
            data_list.append(dict(img_path=path, gt_label=label - 1))
        return data_list

    def _read_list(self) -> tuple[list[str], list[int]]:
        if not exists(self.ann_file):
            raise FileNotFoundError(
                f'StanfordDogs: {self.ann_file} not found. Unpack images.tar '
                'and lists.tar, and set data_root to the folder that holds '
                'Images, train_list.mat and test_list.mat')
        try:
            content = loadmat(self.ann_file)
            files = list(_flat(content['file_list']))
            labels = [int(label) for label in _flat(content['labels'])]
        except BROKEN as error:
            raise ArchiveContentError(
                f'{self.ann_file} is no list of files and labels ({error}). '
                'Unpack lists.tar again') from error
        if len(files) != len(labels) or min(labels, default=0) < 1:
            raise ArchiveContentError(
                f'{self.ann_file} has {len(files)} files and {len(labels)} '
                'labels, which must be from 1. Unpack lists.tar again')
        return files, labels

    @staticmethod
    def _breeds(files: list[str], labels: list[int]) -> tuple[str, ...]:
        """Names in the order of the labels, from the names of the folders."""
        folders = dict(zip(labels, files, strict=True))
        names = []
        for label in range(1, max(labels) + 1):
            folder = folders.get(label, f'{label}-{label}').split('/')[0]
            names.append(folder.partition('-')[2] or folder)
        return tuple(names)


def _flat(values: object) -> Iterator:
    """Items of nested lists, as a column of a .mat file may come as either."""
    if isinstance(values, list | tuple):
        for value in values:
            yield from _flat(value)
    else:
        yield values


__all__ = ['StanfordDogs']
