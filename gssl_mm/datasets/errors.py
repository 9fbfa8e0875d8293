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


class LabelError(TypeError):
    """A dataset has no single integer label a sample."""


__all__ = [
    'ArchiveContentError', 'BrokenPickleError', 'ChecksumError',
    'EmptyClassError', 'LabelError', 'UnsafePickleError'
]
