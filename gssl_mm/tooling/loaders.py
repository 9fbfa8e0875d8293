"""Loader defaults of the command-line tools."""
from typing import Any

FIELDS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def set_loader_defaults(cfg: Any, fields: tuple[str, ...] = FIELDS,
                        persistent_workers: bool | None = True) -> None:
    """Fill in the host tools' loader defaults.

    Args:
        cfg (Config): Changed in place.
        fields (tuple[str]): Loaders to touch.
        persistent_workers (bool, optional): Default for loaders that say
            nothing; None sets no default, as in the host's test tool.
    """
    for field in fields:
        loader = cfg.get(field)
        if loader is None:
            continue
        loader.setdefault('pin_memory', True)
        loader.setdefault('collate_fn', dict(type='default_collate'))
        if persistent_workers is not None:
            loader.setdefault('persistent_workers', persistent_workers)


def drop_impossible(cfg: Any, no_pin_memory: bool = False,
                    no_persistent_workers: bool = False) -> None:
    """Switch off what would only warn or be refused.

    Memory is pinned for a GPU, and workers persist where there are workers.

    Args:
        cfg (Config): Changed in place.
        no_pin_memory (bool): As on the command line. Defaults to False.
        no_persistent_workers (bool): As on the command line. Defaults to
            False.
    """
    import torch
    no_pin_memory = no_pin_memory or not torch.cuda.is_available()
    for field in FIELDS:
        loader = cfg.get(field)
        if loader is None:
            continue
        if no_pin_memory:
            loader['pin_memory'] = False
        if no_persistent_workers or not loader.get('num_workers', 0):
            loader['persistent_workers'] = False
            loader.pop('prefetch_factor', None)


__all__ = ['drop_impossible', 'set_loader_defaults']
