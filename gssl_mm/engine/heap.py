"""Freed memory of a process stays with it, on Linux with glibc."""
import ctypes
import os
import sys

# Of glibc's malloc.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_KEPT = 1 << 30
_SETTINGS = ('MALLOC_TRIM_THRESHOLD_', 'MALLOC_MMAP_THRESHOLD_',
             'GLIBC_TUNABLES')


def keep_freed_memory() -> bool:
    """Let malloc keep what is freed, up to blocks of 1 GiB.

    By default glibc asks the system for every block of some MB and gives it
    back when it is freed. A training step on a CPU frees all its activations:
    the next step gets pages that are new, and zeroed one by one. Results do
    not change; the process stays as large as it once was.

    Returns:
        bool: Whether it does. False where there is no glibc, and where the
        environment has settings of malloc, which are left alone.
    """
    if sys.platform != 'linux' or any(
            name in os.environ for name in _SETTINGS):
        return False
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    return mallopt is not None and all([
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT),
        mallopt(_M_TRIM_THRESHOLD, -1)])


__all__ = ['keep_freed_memory']
