"""Named errors of the data side; each message says what to do."""


class BrokenPickleError(ValueError):
    """A pickle is cut short, not a pickle, or does not hold arrays."""


class UnsafePickleError(ValueError):
    """A pickle asks for something other than arrays and plain containers."""


class ChecksumError(ValueError):
    """A file differs from the published one."""


class ArchiveContentError(ValueError):
    """A readable archive does not hold what the dataset needs."""


class EmptyClassError(ValueError):
    """A long-tailed profile leaves a class without a sample."""


class TooFewLabelsError(ValueError):
    """A balanced split can't have that number of labelled samples."""


class SplitMismatchError(ValueError):
    """An index file belongs to other data, or to another split of it."""


class EmptyUnlabeledError(ValueError):
    """Semi-supervised training was given no unlabelled image."""


class LabelError(TypeError):
    """A dataset has no single integer label a sample."""


__all__ = [
    'ArchiveContentError', 'BrokenPickleError', 'ChecksumError',
    'EmptyClassError', 'EmptyUnlabeledError', 'LabelError',
    'SplitMismatchError', 'TooFewLabelsError', 'UnsafePickleError'
]
