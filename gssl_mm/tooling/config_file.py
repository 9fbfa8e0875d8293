"""Find and read a config by path or by ``gssl_mm::`` name."""
import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ConfigFileError

if TYPE_CHECKING:
    from mmengine.config import Config

PACKAGE_PREFIX = 'gssl_mm::'


def config_root() -> Path:
    """Folder of the configs that the installed package carries."""
    return Path(__file__).resolve().parents[1] / '.mim' / 'configs'


def _missing(name: str, path: Path) -> ConfigFileError:
    shipped = [p.stem for p in config_root().rglob('*.py')]
    near = difflib.get_close_matches(path.stem, shipped, n=3)
    hint = f' Did you mean {" or ".join(near)}?' if near else ''
    return ConfigFileError(
        f'there is no config {name!r} (looked for {path}).{hint} Give a path, '
        f'or {PACKAGE_PREFIX}gssl/NAME.py for a config of the package.')


def resolve_config(name: str) -> Path:
    """Turn what the user typed into the path of a config file.

    Args:
        name (str): A path, or ``gssl_mm::gssl/resnet32_cifar100lt.py``.

    Returns:
        Path: An existing file.

    Raises:
        ConfigFileError: There is no such file; the message suggests near
            names.
    """
    if name.startswith(PACKAGE_PREFIX):
        path = config_root() / name[len(PACKAGE_PREFIX):]
    else:
        path = Path(name)
    if path.is_dir():
        raise ConfigFileError(f'{name!r} is a folder, not a config file.')
    if not path.is_file():
        raise _missing(name, path)
    return path


def read_config(name: str) -> 'Config':
    """Read a config with its bases.

    Raises:
        ConfigFileError: The file is missing, has a syntax error, inherits from
            a file that does not exist, or gives a key twice in its bases.
    """
    path = resolve_config(name)
    from mmengine.config import Config
    try:
        return Config.fromfile(str(path))
    except (SyntaxError, OSError, KeyError, NameError, TypeError, ValueError,
            AttributeError) as error:
        raise ConfigFileError(
            f'{path} could not be read as a config: '
            f'{type(error).__name__}: {error}') from error


__all__ = ['config_root', 'read_config', 'resolve_config']
