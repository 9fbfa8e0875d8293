"""What a wrapper says of the dataset in it."""
import copy
from collections.abc import Callable, Sequence


class WrapperFacts:
    """Facts that a wrapper, with its ``dataset``, does not change."""

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


__all__ = ['WrapperFacts']
