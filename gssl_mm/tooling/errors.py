"""Mistakes of a user, told apart from defects of the program.

The tools print a mistake as one line and leave with 2, what argparse uses; a
run that broke on its own (a loss that is not finite, a full device) leaves
with 1; anything else keeps its traceback, since it is a defect.
"""
import errno
import linecache
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

MISTAKE, FAILED, INTERRUPTED = 2, 1, 130
TRACEBACK_ENV = 'GSSL_MM_TRACEBACK'
_PACKAGE = str(Path(__file__).resolve().parents[1]) + os.sep


class ConfigFileError(ValueError):
    """A config file is missing, unreadable or not valid."""


class UnknownConfigKeyError(ValueError):
    """A config sets a key that nothing reads."""


class UnknownComponentError(LookupError):
    """A config names a component that no registry holds."""


class BatchSizeError(ValueError):
    """The total batch can't be divided as asked."""


class OptionError(ValueError):
    """Command-line options that contradict each other or the config."""


class UnknownModelError(LookupError):
    """No model of the package or of the host has this name."""


class CheckpointFileError(OSError):
    """A checkpoint given on the command line can't be used."""


def _frames(error: BaseException) -> list[tuple[str, str, str]]:
    """File, function and text of the line of each frame, outermost first."""
    return [(frame.f_code.co_filename, frame.f_code.co_name,
             linecache.getline(frame.f_code.co_filename, line).strip())
            for frame, line in traceback.walk_tb(error.__traceback__)]


def raised_on_purpose(error: BaseException) -> bool:
    """Tell a ``raise`` statement of this package from an accident in it.

    Errors of the package's own classes are always on purpose.
    """
    if type(error).__module__.split('.')[0] == __name__.split('.')[0]:
        return True
    frames = _frames(error)
    if not frames:
        return False
    name, _, line = frames[-1]
    inside = str(Path(name).resolve()).startswith(_PACKAGE)
    return inside and line.startswith('raise')


def refused_by_constructor(error: BaseException) -> bool:
    """Tell a config's value or key that a constructor does not take.

    Such a constructor may be anybody's, called by one of the host's ``build_``
    functions: it raised a ``ValueError`` or ``TypeError`` in a statement, also
    one of a library that it called, or could not be called with these names.
    """
    if not isinstance(error, ValueError | TypeError):
        return False
    frames = _frames(error)
    builders = [i for i, (name, function, _) in enumerate(frames)
                if function.startswith('build_')
                and 'mmengine' in Path(name).parts]
    line = frames[-1][2] if frames else ''
    return bool(builders) and (
        builders[-1] == len(frames) - 1 or line.startswith('raise')
        or '__init__(' in line)


def _no_space(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            return True
        error = error.__cause__
    return False


def exit_code(error: BaseException) -> int | None:
    """Exit code of a known kind of error, None for a defect.

    Args:
        error (BaseException): What ended the tool.

    Returns:
        int, optional: 2 for a mistake that the user can repair (an error that
        this package raised on purpose, an unknown registry name, a value that
        a component refuses to be built with), 1 for a run that failed (a loss
        that is not finite, no space left), None for everything else.
    """
    if isinstance(error, KeyError) and ' is not in the ' in str(error):
        return MISTAKE
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return FAILED
    if not raised_on_purpose(error):
        return MISTAKE if refused_by_constructor(error) else None
    return FAILED if isinstance(error, ArithmeticError) or _no_space(
        error) else MISTAKE


def one_line(error: BaseException) -> str:
    """Name and message of an error on one line, without KeyError's quotes."""
    text = error.args[0] if isinstance(error, KeyError) and error.args \
        else error
    rank = os.environ.get('RANK', '0')
    where = '' if rank == '0' else f' (process {rank})'
    message = ' '.join(str(text).split())
    return f'error{where}: {type(error).__name__}: {message}'


def run_tool(main: Callable[[], int | None]) -> int:
    """Run a tool's main function and turn known errors into one line.

    Args:
        main (Callable): The tool. It may return an exit code.

    Returns:
        int: The exit code. With ``GSSL_MM_TRACEBACK=1`` in the environment
        known errors are raised with their traceback instead.
    """
    try:
        return main() or 0
    except KeyboardInterrupt:
        sys.stderr.write('interrupted\n')
        return INTERRUPTED
    except BrokenPipeError:  # the reader, head for instance, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        code = exit_code(error)
        if code is None or os.environ.get(TRACEBACK_ENV, '0') != '0':
            raise
        sys.stderr.write(
            f'{one_line(error)}\n'
            f'({TRACEBACK_ENV}=1 shows where it was raised)\n')
        return code


__all__ = [
    'FAILED', 'INTERRUPTED', 'MISTAKE', 'BatchSizeError',
    'CheckpointFileError', 'ConfigFileError', 'OptionError',
    'UnknownComponentError', 'UnknownConfigKeyError', 'UnknownModelError',
    'exit_code', 'one_line', 'raised_on_purpose', 'refused_by_constructor',
    'run_tool'
]
