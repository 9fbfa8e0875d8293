"""Gate weights of every iteration of the first epoch, in a file."""
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from mmengine.dist import master_only
from mmengine.hooks import Hook

from gssl_mm.registry import HOOKS

from ..atomic_io import atomic_write
from ..loop_facts import by_iteration

DIGITS = 5


@HOOKS.register_module()
class GateCurvesHook(Hook):
    """Write ``gate_curves.json`` into the work dir after each epoch.

    A logger keeps every 50th iteration or so; a gate that follows the smallest
    loss has collapsed by then. The file holds

    - ``first_epoch``: for each logged value one number an iteration of the
      first epoch,
    - ``epochs``: its mean over each epoch so far,
    - ``iterations``: their number in an epoch.

    It is made from the message hub's history, which checkpoints hold: a run
    that was killed and resumed writes what the uninterrupted run writes. In an
    iteration-based run it is written once, when training ends, and an epoch is
    one pass over the loader.

    Note:
        On several processes weights and agreements are those of the whole
        batch; accuracies and losses are those of the main process.

    Args:
        prefixes (Iterable[str]): What is kept: keys that start with one of
            these. Defaults to the weights, the agreements, the accuracies and
            the cross-entropies of the pretext tasks.
        filename (str): Name in the work dir. Defaults to 'gate_curves.json'.

    Example:
        >>> default_hooks = dict(
        ...     gate_curves=dict(type='gssl_mm.GateCurvesHook'))
    """

    # After RuntimeInfoHook, which fills the hub.
    priority = 'NORMAL'

    def __init__(self,
                 prefixes: Iterable[str] = ('gate_', 'agree_', 'acc_', 'ce_'),
                 filename: str = 'gate_curves.json') -> None:
        self.prefixes = tuple(prefixes)
        self.filename = filename

    def after_train_epoch(self, runner) -> None:
        """Write the curves so far."""
        if not by_iteration(runner):
            self._write(runner)

    def after_train(self, runner) -> None:
        """Write the curves of a run that has no epochs."""
        if by_iteration(runner):
            self._write(runner)

    @master_only
    def _write(self, runner) -> None:
        length = len(runner.train_dataloader)
        curves = self._curves(runner.message_hub)
        if not curves:
            return
        content = dict(
            iterations=length,
            first_epoch={key: _plain(values[:length])
                         for key, values in curves.items()},
            epochs={key: _plain(_epoch_means(values, length))
                    for key, values in curves.items()})
        atomic_write(Path(runner.work_dir) / self.filename,
                     f'{json.dumps(content)}\n'.encode())

    def _curves(self, hub) -> dict[str, np.ndarray]:
        found = {}
        for key, history in hub.log_scalars.items():
            name = key.removeprefix('train/')
            if name != key and name.startswith(self.prefixes):
                found[name] = np.asarray(history.data[0], dtype=np.float64)
        return found


def _epoch_means(values: np.ndarray, length: int) -> np.ndarray:
    whole = len(values) // length
    return values[:whole * length].reshape(whole, length).mean(1)


def _plain(values: np.ndarray) -> list:
    """Numbers for JSON; nan becomes null."""
    return [round(v, DIGITS) if np.isfinite(v) else None
            for v in values.tolist()]
