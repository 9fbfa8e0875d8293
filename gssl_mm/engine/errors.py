"""Named errors of the engine: what was got, what is allowed, what to do."""


class EngineError(Exception):
    """Base of the errors raised while a run is set up, trained or saved."""


class NonFiniteLossError(EngineError, ArithmeticError):
    """A logged loss became NaN or infinite: training on would be wasted."""


class CheckpointError(EngineError, RuntimeError):
    """A file is not a complete, plain checkpoint."""


class ArchitectureMismatchError(CheckpointError):
    """A checkpoint belongs to a model of another architecture."""


class WorkDirError(EngineError, OSError):
    """The work directory can't hold a run: a file, read-only, or full."""


class PrecisionError(EngineError, ValueError):
    """A number format that the device or the optimizer wrapper lacks."""


__all__ = [
    'EngineError', 'NonFiniteLossError', 'CheckpointError',
    'ArchitectureMismatchError', 'WorkDirError', 'PrecisionError'
]
