"""Look up what a config's ``type`` names, and which keys it accepts."""
import difflib
import inspect
from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from typing import Any

from .errors import UnknownComponentError

OWN_SCOPE, HOST_SCOPE, ROOT = 'gssl_mm', 'mmpretrain', 'mmengine'


@lru_cache(None)
def _nodes(module: str) -> tuple:
    import mmengine.runner  # noqa: F401  registers functions and loops
    from mmengine.registry import Registry
    return tuple(
        value for value in vars(import_module(f'{module}.registry')).values()
        if isinstance(value, Registry))


def _get(node: Any, name: str) -> Any:
    try:
        return node.get(name)
    except RuntimeError:  # the host's way to say that a name is no object
        return None


@lru_cache(None)
def find_component(name: str, own_scope: bool = False) -> tuple:
    """Every object that a name may build, whichever registry holds it.

    Args:
        name (str): As written in ``type``, with or without a scope.
        own_scope (bool): Look in this package's nodes first, as under
            ``_scope_ = 'gssl_mm'``. Defaults to False.

    Returns:
        tuple: Classes and functions, without repetitions; empty when no
        registry knows the name.
    """
    nodes = _nodes(HOST_SCOPE) + _nodes(ROOT)
    if own_scope:
        nodes = _nodes(OWN_SCOPE) + nodes
    found = [_get(node, name) for node in nodes]
    return tuple(dict.fromkeys(f for f in found if f is not None))


def _known_names(module: str) -> list[str]:
    names = set()
    for node in _nodes(module):
        node.import_from_location()
        names.update(node.module_dict)
    return sorted(n for n in names if isinstance(n, str))


def unknown_component(name: str, where: str) -> UnknownComponentError:
    """Build the error for a name that no registry holds, with a hint.

    Args:
        name (str): The name that was looked up.
        where (str): Key path of the component in the config.
    """
    scope, _, bare = name.rpartition('.')
    ours = _known_names(OWN_SCOPE)
    host = sorted({*_known_names(HOST_SCOPE), *_known_names(ROOT)})
    near_ours = difflib.get_close_matches(bare, ours, 1, 0.75)
    near_host = difflib.get_close_matches(bare, host, 1, 0.75)
    if scope in ('', HOST_SCOPE) and bare in ours:
        hint = f"write '{OWN_SCOPE}.{bare}': own types carry the prefix"
    elif scope not in ('', HOST_SCOPE, OWN_SCOPE):
        hint = (f"'pip install {scope}' if that package provides it, or check "
                'the spelling')
    elif near_ours and (scope == OWN_SCOPE or not near_host):
        hint = f"did you mean '{OWN_SCOPE}.{near_ours[0]}'?"
    elif near_host:
        hint = f"did you mean '{near_host[0]}'?"
    else:
        hint = ('import the module that registers it with custom_imports, or '
                'check the spelling')
    return UnknownComponentError(
        f"{where}: type '{name}' is in no registry; {hint}.")


def _own_parameters(function: Any) -> tuple[set[str], bool]:
    kinds = inspect.Parameter
    params = inspect.signature(function).parameters.values()
    named = {
        p.name
        for p in params if p.kind in (kinds.POSITIONAL_OR_KEYWORD,
                                      kinds.KEYWORD_ONLY) and p.name != 'self'
    }
    return named, any(p.kind is kinds.VAR_KEYWORD for p in params)


def _class_parameters(cls: type) -> tuple[set[str], bool]:
    names: set[str] = set()
    is_open = False
    for base in cls.__mro__:
        if '__init__' not in vars(base) or base is object:
            continue
        more, is_open = _own_parameters(base.__init__)
        names |= more
        if not is_open:
            return names, False
    return names, is_open


@lru_cache(None)
def accepted_keys(component: Any) -> tuple[frozenset[str], bool]:
    """Keyword names that a class or function takes.

    ``**kwargs`` of a class are followed to the next constructor in its method
    resolution order.

    Args:
        component (Any): A class or a function.

    Returns:
        tuple: The names, and whether others are accepted too (a ``**kwargs``
        that leads nowhere, or a signature that can't be read).
    """
    try:
        read = _class_parameters if inspect.isclass(component) \
            else _own_parameters
        names, is_open = read(component)
    except (TypeError, ValueError):
        return frozenset(), True
    return frozenset(names), is_open


def union_of_keys(components: Iterable[Any]) -> tuple[set[str], bool]:
    """Union of :func:`accepted_keys` over candidates of one name."""
    names: set[str] = set()
    is_open = False
    for component in components:
        more, more_open = accepted_keys(component)
        names |= more
        is_open = is_open or more_open
    return names, is_open


__all__ = [
    'accepted_keys', 'find_component', 'union_of_keys', 'unknown_component'
]
