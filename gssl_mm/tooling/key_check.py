"""Refuse config keys that nothing reads.

mmengine accepts every key: a misspelt ``model.head.loss_wieght`` given with
``--cfg-options`` creates a new entry and the run trains with the old value, or
dies minutes later in a constructor. Here each key is held against its reader:

* in a dict with ``type``: the constructor of that component;
* in the dicts that the Runner reads without ``type``: the table below;
* at the top level: what the Runner and our tools read. A config file may have
  helper variables there, so that a file's key is refused only when it is a near
  miss of one that is read; a ``--cfg-options`` key must be known or present.
"""
import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from .components import (
    accepted_keys,
    find_component,
    union_of_keys,
    unknown_component,
)
from .errors import OptionError, UnknownConfigKeyError
from .known_keys import (
    BUILDER_KEYS,
    FREE_FORM,
    NEAR,
    TOP_LEVEL,
    TOP_LEVEL_HELPERS,
    typeless_keys,
)


def _suggest(key: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    near = difflib.get_close_matches(key, sorted(names), 1, cutoff)
    return near[0] if near else ''


def _refuse(path: str, reader: str, names: set[str],
            near: str) -> UnknownConfigKeyError:
    hint = f' Did you mean {near!r}?' if near else ''
    listed = ', '.join(sorted(n for n in names if not n.startswith('_')))
    return UnknownConfigKeyError(
        f'{path!r} is set, but {reader} reads no such key.{hint} '
        f'Allowed here: {listed}.')


def _check_keys(node: dict, path: str, reader: str, names: set[str],
                is_open: bool) -> None:
    for key in node:
        if key in names or key in BUILDER_KEYS:
            continue
        near = _suggest(key, names, NEAR if is_open else 0.6)
        if near or not is_open:
            raise _refuse(f'{path}.{key}', reader, names, near)


def _check_component(node: dict, path: str) -> None:
    kind = node['type']
    if isinstance(kind, str):
        found = find_component(kind, node.get('_scope_') == 'gssl_mm')
        if not found:
            raise unknown_component(kind, path)
        names, is_open = union_of_keys(found)
        _check_keys(node, path, kind, names, is_open)
    elif callable(kind):
        names, is_open = accepted_keys(kind)
        _check_keys(node, path, getattr(kind, '__name__', str(kind)),
                    set(names), is_open)


def _children(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in FREE_FORM:
                yield f'{path}.{key}' if path else key, value
    else:
        for index, value in enumerate(node):
            yield f'{path}.{index}', value


def _walk(node: Any, path: str) -> None:
    if isinstance(node, dict) and path:
        names = typeless_keys(path, node)
        if names is not None:
            _check_keys(node, path, path, names, False)
        elif isinstance(node.get('type'), str) or callable(node.get('type')):
            _check_component(node, path)
    if isinstance(node, dict | list | tuple):
        for child_path, child in _children(node, path):
            _walk(child, child_path)


def _check_top_level(keys: Iterable[str]) -> None:
    for key in keys:
        if key in TOP_LEVEL or key in TOP_LEVEL_HELPERS:
            continue
        near = _suggest(key, TOP_LEVEL, NEAR)
        if near:
            raise UnknownConfigKeyError(
                f'top-level key {key!r} is set, but nothing reads it. Did you '
                f'mean {near!r}?')


def check_option_keys(options: dict | None, present: Iterable[str]) -> None:
    """Check the first part of each ``--cfg-options`` key.

    Args:
        options (dict, optional): Dotted key to value, as argparse gives it.
        present (Iterable[str]): Top-level keys of the config before merging.

    Raises:
        UnknownConfigKeyError: A first part is neither in the config nor read by
            the Runner or the tools.
    """
    present = set(present)
    for path in options or {}:
        top = path.split('.')[0]
        if top not in present and top not in TOP_LEVEL:
            near = _suggest(top, present | TOP_LEVEL)
            hint = f' Did you mean {near!r}?' if near else ''
            raise UnknownConfigKeyError(
                f'--cfg-options {path}: the config has no key {top!r} and '
                f'nothing reads it.{hint}')


def merge_options(cfg: Any, options: dict | None) -> None:
    """Merge ``--cfg-options`` into a config.

    Args:
        cfg (Config): Changed in place.
        options (dict, optional): Dotted key to value, as argparse gives it.

    Raises:
        UnknownConfigKeyError: As :func:`check_option_keys`.
        OptionError: A key goes into a list beyond its end, or into a value
            that holds nothing.
    """
    check_option_keys(options, cfg.keys())
    for key, value in (options or {}).items():
        try:
            cfg.merge_from_dict({key: value})
        except (KeyError, TypeError) as error:
            text = error.args[0] if error.args else error
            raise OptionError(
                f'--cfg-options {key}={value} does not fit the config: {text}'
            ) from error


def apply_options(cfg: Any, options: dict | None) -> None:
    """Merge ``--cfg-options`` and refuse what nothing reads.

    For tools that only read a model and its data. A config without options is
    taken as it is.

    Raises:
        UnknownConfigKeyError: As :func:`check_config_keys`.
        UnknownComponentError: As :func:`check_config_keys`.
        OptionError: As :func:`merge_options`.
    """
    merge_options(cfg, options)
    if options:
        check_config_keys(cfg)


def check_config_keys(cfg: Any) -> None:
    """Check every key of a merged config against its reader.

    Args:
        cfg (Config | dict): A config after all overrides.

    Raises:
        UnknownConfigKeyError: A key that nothing reads, with its path and the
            nearest name.
        UnknownComponentError: A ``type`` that no registry holds, with a hint.
    """
    tree = cfg.to_dict() if hasattr(cfg, 'to_dict') else dict(cfg)
    _check_top_level(tree)
    for key, value in tree.items():
        if key in TOP_LEVEL and key not in FREE_FORM:
            _walk(value, key)


__all__ = [
    'apply_options', 'check_config_keys', 'check_option_keys', 'merge_options'
]
