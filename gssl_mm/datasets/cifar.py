"""CIFAR-10 and CIFAR-100, held in one array."""
import mmengine.dist as dist
import numpy as np
from mmengine.fileio import LocalBackend, exists, get_file_backend, join_path
from mmengine.logging import MMLogger
from mmpretrain import datasets as host
from mmpretrain.datasets.utils import (
    calculate_md5,
    download_and_extract_archive,
)

from gssl_mm.registry import DATASETS

from .array_dataset import ArrayDataset, ArraySource
from .cifar_files import ArchiveFile
from .errors import ChecksumError


@DATASETS.register_module()
class CIFAR10(ArrayDataset, host.CIFAR10):
    """`CIFAR-10 <https://www.cs.toronto.edu/~kriz/cifar.html>`_ in one array.

    The host's dataset with the images held once, the archive's pickles read
    without running code from them, and copies with other checksums accepted
    on request. 50,000 training and 10,000 test images of 10 classes.

    Note:
        While reading, memory holds the images that are kept and a window of
        one file; a subset (``indices``, ``LongTailedDataset``) never holds the
        images it leaves out.

    Args:
        data_root (str): The folder that holds the archive's own folder, for
            example ``data/cifar10`` with
            ``data/cifar10/cifar-10-batches-py/data_batch_1``.
        split (str): 'train' or 'test'. Default: 'train'.
        metainfo (dict, optional): Meta information, for example ``classes``.
            Default: None, the published names.
        download (bool): Whether to download the archive when its files are
            missing; the main process does, the others wait. Default: True.
        verify_md5 (bool): Whether the files have to be the published ones.
            False accepts copies that were encoded again, and takes the class
            names from their ``meta`` file. Default: True.
        data_prefix (str): Folder under ``data_root``. Default: ''.
        test_mode (bool): As in the host. Default: False.
        **kwargs: Other arguments of :class:`ArrayDataset`.

    Shape:
        ``img`` (32, 32, 3) uint8 RGB in [0, 255], ``gt_label`` integer.

    Raises:
        ValueError: ``split`` is unknown.
        FileNotFoundError: Files are missing and were not downloaded.
        ChecksumError: A file is not the published one.
        UnsafePickleError: A file names something other than arrays.
        BrokenPickleError: A file is cut short or not a pickle.
        ArchiveContentError: A file does not hold images with labels.

    Example:
        >>> dataset = dict(
        ...     type='gssl_mm.CIFAR10', data_root='data/cifar10',
        ...     split='train', pipeline=[dict(type='PackInputs')])
    """

    def __init__(self,
                 data_root: str = '',
                 split: str = 'train',
                 metainfo: dict | None = None,
                 download: bool = True,
                 verify_md5: bool = True,
                 data_prefix: str = '',
                 test_mode: bool = False,
                 **kwargs) -> None:
        if split not in ('train', 'test'):
            raise ValueError(
                f"split is 'train' or 'test' for {type(self).__name__}, "
                f'got {split!r}')
        self.verify_md5 = verify_md5
        self._named_classes = kwargs.get('classes') is not None or bool(
            metainfo and 'classes' in metainfo)
        host.CIFAR10.__init__(
            self, data_root, split, metainfo, download, data_prefix,
            test_mode, **kwargs)

    @property
    def folder(self) -> str:
        """The folder that holds the archive's files."""
        return join_path(self.data_prefix['root'], self.base_folder)

    def load_arrays(self) -> ArraySource:
        """Check and open the files of the split; images are read later."""
        self._fetch()
        names = [name for name, _ in self._files()]
        if self.verify_md5:
            self._verify()
        else:
            self._take_class_names()
        files = [ArchiveFile(join_path(self.folder, name)) for name in names]
        ends = np.cumsum([len(file) for file in files])

        def read(positions: np.ndarray) -> np.ndarray:
            images = np.empty((len(positions), 32, 32, 3), np.uint8)
            source = np.searchsorted(ends, positions, side='right')
            for number, file in enumerate(files):
                where = np.flatnonzero(source == number)
                start = ends[number] - len(file)
                file.read_into(images, where, positions[where] - start)
            return images

        return ArraySource(np.concatenate([f.labels for f in files]), read)

    def _files(self) -> list[list[str]]:
        return self.train_list if self.split == 'train' else self.test_list

    def _missing(self) -> list[str]:
        return [
            name for name, _ in self._files()
            if not exists(join_path(self.folder, name))
        ]

    def _fetch(self) -> None:
        """Download what is missing, or say what to do."""
        reason = 'download=False was set'
        if self.download:
            reason = 'the main process, which downloads, did not provide it'
        root = self.data_prefix['root']
        local = isinstance(get_file_backend(root), LocalBackend)
        if dist.is_main_process() and self._missing() and self.download:
            reason = 'only local folders are downloaded to'
            try:
                if local:
                    download_and_extract_archive(
                        self.url, root, filename=self.filename,
                        md5=self.tgz_md5)
            except Exception as error:
                # Any other way out would leave the processes that wait in the
                # barrier below waiting for ever.
                reason = f'the download failed ({error})'
        dist.barrier()
        if self._missing():
            raise FileNotFoundError(self._missing_message(reason))

    def _missing_message(self, reason: str) -> str:
        names = ', '.join(name for name, _ in self._files())
        return (
            f'{type(self).__name__}: {", ".join(self._missing())} not found '
            f'and {reason}. Expected the folder {self.folder} with the files '
            f'{names}. Either unpack {self.url} into '
            f'{self.data_prefix["root"]}, or set data_root to the folder that '
            f'holds {self.base_folder}, or set download=True on a machine '
            'with a network.')

    def _verify(self) -> None:
        """Compare the files of the split with the published checksums."""
        for name, expected in self._files():
            path = join_path(self.folder, name)
            got = calculate_md5(path)
            if got != expected:
                raise ChecksumError(
                    f'{path} has the MD5 sum {got}, the published file has '
                    f'{expected}. If it is a broken download, delete it and '
                    'set download=True; if it is a copy that was encoded '
                    'again on purpose, set verify_md5=False.')

    def _take_class_names(self) -> None:
        """Take the names of a copy's own ``meta`` file, if it has others."""
        path = join_path(self.folder, self.meta['filename'])
        if self._named_classes or not exists(path):
            return
        names = ArchiveFile.class_names(path, self.meta['key'])
        if names != tuple(self.CLASSES):
            MMLogger.get_current_instance().info(
                f'{type(self).__name__}: class names taken from {path}')
            self._metainfo['classes'] = names


@DATASETS.register_module()
class CIFAR100(CIFAR10, host.CIFAR100):
    """`CIFAR-100 <https://www.cs.toronto.edu/~kriz/cifar.html>`_ in one array.

    50,000 training and 10,000 test images of 100 fine classes. Arguments,
    shapes and errors are those of :class:`CIFAR10`; the archive's own folder is
    ``cifar-100-python``.

    Example:
        >>> dataset = dict(
        ...     type='gssl_mm.CIFAR100', data_root='data/cifar100',
        ...     split='test', pipeline=[dict(type='PackInputs')])
    """


__all__ = ['CIFAR10', 'CIFAR100']
