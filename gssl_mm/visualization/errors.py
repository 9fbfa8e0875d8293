"""Named errors of the figures: what was got, what is allowed, what to do."""


class TargetLayerError(LookupError):
    """A model has no such layer, or none that a map can be taken from."""


class MissingExtraError(ImportError):
    """A figure needs a package of the extra ``vis``."""


class SampleError(ValueError):
    """Images that were asked for do not exist or do not fit together."""


class FigureFormatError(ValueError):
    """A file name ends in a format that figures are not written in."""


class RunLogError(ValueError):
    """A work dir has no log, or one that can't be read."""


class HalfWrittenLogError(RunLogError):
    """A log or a results file was cut off or damaged."""


def need(name: str, package: str) -> None:
    """Import a module of the extra ``vis``.

    Raises:
        MissingExtraError: It is not installed.
    """
    import importlib
    try:
        importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(
            f'this figure needs {package}, which could not be imported '
            f'({error}). Install it with: pip install "gssl_mm[vis]", or '
            'pip install -e ".[vis]" in a clone.') from error


__all__ = [
    'FigureFormatError', 'HalfWrittenLogError', 'MissingExtraError',
    'RunLogError', 'SampleError', 'TargetLayerError', 'need'
]
