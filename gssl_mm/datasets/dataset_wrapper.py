"""What wrappers of a dataset that keep a part of it have in common."""
import copy
from collections.abc import Callable, Sequence

from .packed_batches import fetch, overrides


class DatasetWrapper:
    """Reads samples of ``dataset`` and says what it says of itself.

    A subclass has ``_inner(idx)``: the position in ``dataset`` of its own one.
    """

    @property
    def metainfo(self) -> dict:
        """Meta information of the wrapped dataset."""
        return copy.deepcopy(self.dataset.metainfo)

    @property
    def CLASSES(self) -> Sequence[str] | None:
        """Names of the classes."""
        return self.dataset.metainfo.get('classes')

    @property
    def pipeline(self) -> Callable:
        """The pipeline, which runs in the wrapped dataset."""
        return self.dataset.pipeline

    @property
    def reads_through(self) -> bool:
        """Whether a sample is one of ``dataset``, as it is.

        False where a subclass reads samples in its own way.
        """
        return not overrides(self, DatasetWrapper, '__getitem__')

    def __getitem__(self, idx: int) -> dict:
        # The first use may put another dataset into its place
        inner = self._inner(idx)
        return self.dataset[inner]

    def __getitems__(self, indices: Sequence[int]) -> list[dict]:
        """Return the samples of a batch, as a ``DataLoader`` asks for them."""
        if not self.reads_through:
            return [self[idx] for idx in indices]
        inner = [self._inner(idx) for idx in indices]
        return fetch(self.dataset, inner)

    def get_data_info(self, idx: int) -> dict:
        """Return one sample before the pipeline."""
        inner = self._inner(idx)
        return self.dataset.get_data_info(inner)


__all__ = ['DatasetWrapper']
