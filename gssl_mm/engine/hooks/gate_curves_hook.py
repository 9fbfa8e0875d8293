"""Gate weights of every iteration of the first epoch, in a file."""
import json
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from mmengine.dist import master_only
from mmengine.hooks import Hook

from gssl_mm.atomic_io import atomic_write
from gssl_mm.registry import HOOKS

from ..loop_facts import by_iteration

DIGITS = 5
_GATE = 'train/gate_'
# Where the message hub keeps the passes: its history has an end
_PASSES = 'gate_curves'


@HOOKS.register_module()
class GateCurvesHook(Hook):
    """Write ``gate_curves.json`` into the work dir after each epoch.

    A logger keeps every 50th iteration or so; a gate that follows the smallest
    loss has collapsed by then. The file holds

    - ``first_epoch``: for each logged value one number an iteration of the
      first epoch,
    - ``epochs``: its mean over each epoch so far,
    - ``iterations``: their number in an epoch.

    It is kept in the message hub, which checkpoints hold: a run that was
    killed and resumed writes what the uninterrupted run writes. In an
    iteration-based run it is written once, when training ends, and an epoch is
    one pass over the loader. A run without a gate writes nothing.

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

    def after_train_iter(self,
                         runner,
                         batch_idx: int,
                         data_batch=None,
                         outputs: dict | None = None) -> None:
        """Take in a pass over the loader, and write where it is an epoch."""
        # Within the epoch, or of the whole run where that has none
        if (batch_idx + 1) % len(runner.train_dataloader) == 0:
            self._take_pass(runner)
            if not by_iteration(runner):
                self._write(runner)

    def after_train(self, runner) -> None:
        """Write the curves of a run that has no epochs."""
        if by_iteration(runner):
            self._write(runner)

    def _take_pass(self, runner) -> None:
        length, hub = len(runner.train_dataloader), runner.message_hub
        taken = hub.get_info(_PASSES) or dict(first_epoch={}, epochs={})
        for key, values in self._curves(hub).items():
            values = values[-length:]
            taken['first_epoch'].setdefault(key, values.tolist())
            taken['epochs'].setdefault(key, []).append(float(values.mean()))
        hub.update_info(_PASSES, taken)

    @master_only
    def _write(self, runner) -> None:
        length, hub = len(runner.train_dataloader), runner.message_hub
        # A run that ends within its first pass has part of that
        taken = hub.get_info(_PASSES) or dict(
            first_epoch={k: v.tolist() for k, v in self._curves(hub).items()},
            epochs={})
        if not taken['first_epoch']:
            return
        content = {part: {key: _plain(values) for key, values in found.items()}
                   for part, found in taken.items()}
        atomic_write(
            Path(runner.work_dir) / self.filename,
            f'{json.dumps(dict(iterations=length, **content))}\n'.encode())

    def _curves(self, hub) -> dict[str, np.ndarray]:
        if not any(key.startswith(_GATE) for key in hub.log_scalars):
            return {}
        found = {}
        for key, history in hub.log_scalars.items():
            name = key.removeprefix('train/')
            if name != key and name.startswith(self.prefixes):
                found[name] = np.asarray(history.data[0], dtype=np.float64)
        return found


def _plain(values: list[float]) -> list:
    """Numbers for JSON; nan becomes null."""
    return [round(v, DIGITS) if math.isfinite(v) else None for v in values]
