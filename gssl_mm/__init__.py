"""gssl_mm: mixtures of self-supervised pretext tasks for MMPretrain."""
from .host_check import check_host
from .version import __version__

check_host()

__all__ = ['__version__']
