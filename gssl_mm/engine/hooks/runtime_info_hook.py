"""The host's log values without a wait for the device every iteration."""
from typing import Any

from mmengine.hooks import LoggerHook
from mmengine.hooks import RuntimeInfoHook as HostRuntimeInfoHook

from gssl_mm.registry import HOOKS

from ..errors import NonFiniteLossError
from ..loop_facts import by_iteration, longest_window
from ..scalar_buffer import (
    ScalarBuffer,
    StepRecord,
    bound_histories,
    extend_history,
    non_finite_losses,
)

_SHOWN = 8


@HOOKS.register_module()
class RuntimeInfoHook(HostRuntimeInfoHook):
    """Feed the message hub as the host's hook does, once an interval.

    The host calls ``.item()`` on every logged scalar of every iteration, and so
    waits for the device each time. This hook keeps the scalars of an iteration
    as one tensor, and moves what came together since the last flush to the host
    at once: before ``LoggerHook`` reads, at the end of an epoch, before a
    validation, before a checkpoint, and when a key is logged for the first
    time. At these points the hub holds what the host would have put there,
    number for number.

    At the same points the losses are checked: a run whose loss became NaN or
    infinite stops, and no checkpoint is saved with the weights that it ruined.

    Note:
        Iteration-based runs may have a million iterations; the host keeps all
        numbers of all of them, in every checkpoint. Here such a run keeps the
        last ``history`` ones of each key, and no fewer than one pass over the
        loader and the log processor's windows have. A window of 'global' or
        'epoch' keeps all. Logs and results are the same.

    Args:
        interval (int, optional): Flush every so many iterations. Defaults to
            None: at the intervals of the run's logger hooks, or every 10
            iterations where it has none.
        check_finite (bool): Stop at a loss that is not finite. Defaults to
            True.
        history (int): Numbers that an iteration-based run keeps of each key, at
            least 1. Defaults to 1000.

    Raises:
        ValueError: ``interval`` or ``history`` is below 1.
        NonFiniteLossError: A key that contains 'loss' was NaN or infinite.

    Example:
        >>> default_hooks = dict(
        ...     runtime_info=dict(type='gssl_mm.RuntimeInfoHook'))
    """

    def __init__(self,
                 interval: int | None = None,
                 check_finite: bool = True,
                 history: int = 1000) -> None:
        if interval is not None and interval < 1:
            raise ValueError(
                f'interval is a number of iterations, at least 1; got '
                f'{interval}. Leave it out to follow the logger hook.')
        if history < 1:
            raise ValueError(
                f'history is a number of iterations, at least 1; got '
                f'{history}. Leave it out to keep 1000.')
        self.interval = interval
        self.check_finite = check_finite
        self.history = history
        self._limit = None
        self._buffer = ScalarBuffer()

    def before_train(self, runner) -> None:
        """Publish the state of the run and find the logger's intervals."""
        super().before_train(runner)
        self._buffer = ScalarBuffer()
        found = {h.interval for h in runner.hooks if isinstance(h, LoggerHook)}
        self._intervals = {self.interval} if self.interval else found or {10}
        if self.interval:
            self._intervals |= found
        if by_iteration(runner):
            # A pass over the loader ends like an epoch
            self._intervals = {*self._intervals, len(runner.train_dataloader)}
            longest = longest_window(runner)
            self._limit = longest and max(longest, self.history)

    def before_train_iter(self,
                          runner,
                          batch_idx: int,
                          data_batch=None) -> None:
        """Publish the iteration and keep its learning rates."""
        runner.message_hub.update_info('iter', runner.iter)
        rates = runner.optim_wrapper.get_lr()
        record = self._buffer.start(runner.iter)
        record.add({name: values[0] for name, values in rates.items()})
        if any(f'train/{k}' not in runner.message_hub.log_scalars
               for k in rates):
            self._flush(runner)
            self._buffer.start(runner.iter)

    def after_train_iter(self,
                         runner,
                         batch_idx: int,
                         data_batch=None,
                         outputs: dict | None = None) -> None:
        """Keep what the iteration logged; flush where somebody reads it."""
        records = self._buffer.records
        record = records[-1] if records else self._buffer.start(runner.iter)
        record.batch = _describe_samples(data_batch)
        record.add(outputs or {})
        known = runner.message_hub.log_scalars
        if self._is_read(runner, batch_idx) or any(
                f'train/{key}' not in known for key in record.order):
            self._flush(runner)

    def after_train_epoch(self, runner) -> None:
        """Flush, so that the epoch's checkpoint holds all of it."""
        self._flush(runner)

    def before_val(self, runner) -> None:
        """Flush before others publish scores."""
        self._flush(runner)
        super().before_val(runner)

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Complete the logs of a checkpoint that is saved inside an epoch."""
        if self._buffer.records:
            self._flush(runner)
            checkpoint['message_hub'] = runner.message_hub.state_dict()

    def _is_read(self, runner, batch_idx: int) -> bool:
        return (any(self.every_n_inner_iters(batch_idx, interval)
                    for interval in self._intervals)
                or self.end_of_epoch(runner.train_dataloader, batch_idx)
                or self.is_last_train_iter(runner))

    def _flush(self, runner) -> None:
        columns: dict[str, list] = {}
        for record, values in self._buffer.flush():
            for key, value in values.items():
                columns.setdefault(key, []).append(value)
            bad = non_finite_losses(values) if self.check_finite else {}
            if bad:
                raise NonFiniteLossError(_report(runner, record, values, bad))
        for key, values in columns.items():
            extend_history(runner.message_hub, f'train/{key}', values)
        if self._limit:
            bound_histories(runner.message_hub, 'train/', self._limit)


def _describe_samples(data_batch: Any) -> Any:
    """Keep the keys and the samples' metadata; let go of the images."""
    if not isinstance(data_batch, dict):
        return type(data_batch).__name__
    return {key: value if key == 'data_samples' else None
            for key, value in data_batch.items()}


def _name_samples(samples: Any) -> list:
    names = []
    for sample in (samples or [])[:_SHOWN]:
        meta = sample.metainfo if hasattr(sample, 'metainfo') else {}
        for key in ('sample_idx', 'img_path', 'img_id'):
            if meta.get(key) is not None:
                names.append(f'{key}={meta[key]}')
                break
    return names


def _report(runner, record: StepRecord, values: dict, bad: dict) -> str:
    batch = record.batch
    keys = list(batch) if isinstance(batch, dict) else batch
    samples = batch.get('data_samples') if isinstance(batch, dict) else None
    names = _name_samples(samples if isinstance(samples, list) else None)
    shown = f' (first samples: {", ".join(names)})' if names else ''
    logged = ', '.join(f'{key}={value:.6g}' for key, value in values.items())
    last = runner.message_hub.get_info('last_ckpt')
    advice = (f'Resume from {last} with a smaller learning rate, a longer '
              'warm-up or gradient clipping.') if last else (
                  'No checkpoint was saved before it: start again with a '
                  'smaller learning rate, a longer warm-up or clipping.')
    return (f'{" and ".join(bad)} became {sorted(set(map(str, bad.values())))}'
            f' in iteration {record.iteration + 1} of {runner.max_iters}; '
            f'losses must be finite. Logged there: {logged}. Keys of the '
            f'batch: {keys}{shown}. {advice}')
