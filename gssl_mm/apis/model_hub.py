"""The models of this package in the host's table of names."""
import fnmatch
from functools import lru_cache
from pathlib import Path

from mmpretrain.apis.model import ModelHub
from modelindex.load_model_index import load

ROOT = Path(__file__).resolve().parents[1] / '.mim'
INDEX = ROOT / 'model-index.yml'


@lru_cache(None)
def register_models() -> tuple[str, ...]:
    """Make the host find configs and weights of this package by name.

    Done once, by importing :mod:`gssl_mm.apis`. Weights that the package
    carries are found wherever it is installed.

    Returns:
        tuple[str]: The names, sorted.
    """
    ModelHub.register_model_index(INDEX, config_prefix=ROOT)
    index = load(str(INDEX))
    names = sorted(model.name.lower() for model in index.models)
    for name in names:
        entry = ModelHub._models_dict[name]
        if entry.weights and '://' not in entry.weights:
            entry.weights = str(ROOT / entry.weights)
    return tuple(names)


def list_models(pattern: str | None = None) -> list[str]:
    """Names of this package's models, those that match a wildcard pattern.

    Args:
        pattern (str, optional): As for the host's function; what follows it in
            a name is free. Defaults to None, all.

    Example:
        >>> from gssl_mm.apis import list_models
        >>> list_models('resnet32-lorot_cifar10lt-r*')
        ['resnet32-lorot_cifar10lt-r0.02', 'resnet32-lorot_cifar10lt-r0.05']
    """
    names = register_models()
    return list(names) if pattern is None else fnmatch.filter(
        names, f'{pattern}*')


__all__ = ['list_models', 'register_models']
