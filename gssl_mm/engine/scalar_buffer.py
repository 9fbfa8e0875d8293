"""Logged scalars wait on the device and leave it together."""
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from mmengine.logging import MessageHub


@dataclass
class StepRecord:
    """What one iteration logged.

    Attributes:
        iteration (int): Counted from 0.
        plain (dict): Values that are Python or numpy numbers.
        stacked (dict): By (device, dtype): the keys and one tensor of their
            values.
        order (list): All keys in the order in which they were logged.
        batch (Any): What an error says about the batch, made when needed.
    """
    iteration: int
    plain: dict[str, Any] = field(default_factory=dict)
    stacked: dict = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    batch: Any = None

    def add(self, values: dict[str, Any]) -> None:
        """Take the values of the iteration; tensors are copied, not read."""
        groups: dict = {}
        for key, value in values.items():
            self.order.append(key)
            if not isinstance(value, torch.Tensor):
                self.plain[key] = value
                continue
            if value.numel() != 1:
                raise ValueError(
                    f'The logged value {key!r} has the shape '
                    f'{tuple(value.shape)}; one number is allowed. Reduce it '
                    'in the head, or keep it out of the loss dict.')
            keys, tensors = groups.setdefault((value.device, value.dtype),
                                              ([], []))
            keys.append(key)
            tensors.append(value.detach().reshape(()))
        # A stack is a copy: a model may log a buffer that it changes later.
        for group, (keys, tensors) in groups.items():
            self.stacked[group] = (keys, torch.stack(tensors))


class ScalarBuffer:
    """The records since the last flush.

    A flush moves one stacked tensor to the host for each (device, dtype) among
    the logged scalars, which is one where all losses are float32.
    """

    def __init__(self) -> None:
        self.records: list[StepRecord] = []

    def start(self, iteration: int) -> StepRecord:
        """Open the record of an iteration."""
        self.records.append(StepRecord(iteration))
        return self.records[-1]

    def flush(self) -> Iterator[tuple[StepRecord, dict[str, Any]]]:
        """Empty the buffer.

        Returns:
            Iterator: (record, values) an iteration, the values being Python
            numbers in the order of logging.
        """
        records, self.records = self.records, []
        moved: dict = {}
        for group in {g: None for r in records for g in r.stacked}:
            parts = [r.stacked[group][1] for r in records if group in r.stacked]
            moved[group] = iter(torch.cat(parts).tolist())
        for record in records:
            values = {key: record.plain.get(key) for key in record.order}
            for group, (keys, _) in record.stacked.items():
                values.update((key, next(moved[group])) for key in keys)
            yield record, values


def extend_history(hub: MessageHub, key: str, values: list) -> None:
    """Append numbers to a log history as so many host updates would.

    The host copies the whole history for every number; here it is copied once.

    Args:
        hub (MessageHub): Where the history is kept.
        key (str): Its name, with the 'train/' prefix.
        values (list): Numbers of any kind that the host accepts.
    """
    if key not in hub.log_scalars:
        hub.update_scalar(key, values[0])
        values = values[1:]
    values = [hub._get_valid_value(value) for value in values]
    history = hub.get_scalar(key)
    if len(values) < 2:
        for value in values:
            history.update(value)
        return
    limit = history.max_length
    logs, counts = history.data
    history._log_history = np.append(logs, values)[-limit:]
    history._count_history = np.append(counts, [1] * len(values))[-limit:]


def bound_histories(hub: MessageHub, prefix: str, limit: int) -> None:
    """Let histories hold so many numbers at most, the last ones.

    Args:
        hub (MessageHub): Where the histories are kept.
        prefix (str): How their names begin.
        limit (int): At least 1.
    """
    for key, history in hub.log_scalars.items():
        if not key.startswith(prefix) or history.max_length == limit:
            continue
        history.max_length = limit
        logs, counts = history.data
        history._log_history = logs[-limit:].copy()
        history._count_history = counts[-limit:].copy()


def non_finite_losses(values: dict[str, Any]) -> dict[str, float]:
    """Select the NaN and infinite values whose key contains 'loss'."""
    return {
        key: value for key, value in values.items()
        if 'loss' in key and not math.isfinite(value)
    }


__all__ = [
    'ScalarBuffer', 'StepRecord', 'bound_histories', 'extend_history',
    'non_finite_losses'
]
