"""gssl_mm: mixtures of self-supervised pretext tasks for MMPretrain."""
from typing import Any

from .host_check import check_host
from .version import __version__

check_host()

# Imported when they are asked for: the host takes seconds to import
_LAZY = ('get_model', 'list_models')


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from . import apis
        return getattr(apis, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])


__all__ = ['__version__', 'get_model', 'list_models']
