"""Refuse to run on host libraries that the package was not tested with."""
from importlib.metadata import PackageNotFoundError, version

# distribution -> (lowest tested version, first version not allowed)
HOSTS = {
    'onedl-mmengine': ('0.10.12', '0.11'),
    'onedl-mmpretrain': ('1.3.6', '1.4'),
}
# The frozen upstream packages own the same import names. They are accepted
# (see docs), but never beside the fork.
UPSTREAM = {
    'onedl-mmengine': ('mmengine', '0.10.7', '0.11'),
    'onedl-mmpretrain': ('mmpretrain', '1.2.0', '1.4'),
}


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ''


def _in_range(found: str, low: str, high: str) -> bool:
    from mmengine.utils import digit_version
    return digit_version(low) <= digit_version(found) < digit_version(high)


def _pip_line() -> str:
    pins = ' '.join(f'"{n}>={lo},<{hi}"' for n, (lo, hi) in HOSTS.items())
    return f'pip install {pins}'


def check_host() -> None:
    """Check the host's versions and make ``gssl_mm::`` config paths known.

    Raises:
        ImportError: If a host package is missing, outside the tested range, or
            installed twice (upstream beside the fork). The message names the
            pip line that repairs it.
    """
    for fork, (low, high) in HOSTS.items():
        upstream, up_low, up_high = UPSTREAM[fork]
        found, found_upstream = _installed(fork), _installed(upstream)
        if found and found_upstream:
            raise ImportError(
                f'{fork} {found} and {upstream} {found_upstream} are both '
                f'installed and own the same import name. Run: pip uninstall '
                f'-y {upstream} {fork} && {_pip_line()}')
        if not found and found_upstream:
            fork, low, high = upstream, up_low, up_high
            found = found_upstream
        if not found or not _in_range(found, low, high):
            raise ImportError(
                f'gssl_mm needs {fork} >= {low}, < {high}, but found '
                f'{found or "none"}. Run: {_pip_line()}')

    from mmengine.config.utils import MODULE2PACKAGE
    MODULE2PACKAGE.setdefault('gssl_mm', 'gssl_mm')
