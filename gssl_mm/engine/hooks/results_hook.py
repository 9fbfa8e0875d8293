"""The file from which tables are made."""
import json
import math
import time
from pathlib import Path
from statistics import median

from mmengine.dist import get_world_size, is_main_process, master_only
from mmengine.hooks import Hook

from gssl_mm.atomic_io import atomic_write
from gssl_mm.registry import HOOKS

from ..loop_facts import by_iteration
from ..run_facts import (
    config_sha,
    describe_dataset,
    git_commit,
    hardware,
    recipe_options,
    versions,
)

_WALL_TIME = 'wall_time_s'
_EVALUATED_AT = 'evaluated_at'
_TIMERS = ('time', 'data_time')
_LAST = 20


@HOOKS.register_module()
class ResultsHook(Hook):
    """Write ``result.json`` into the work dir when training ends.

    It holds what was run (config, seed, commit, data, hardware, versions), how
    long it took, and for every validation metric the last, the best, the median
    of the last 20 evaluations and all of them. A run that was killed and
    resumed writes what the uninterrupted run would have written, apart from
    times: the history of evaluations and the wall time are kept in the message
    hub, which checkpoints hold. Wall time counts what led to the result; the
    time between the last checkpoint and a kill is not in it.

    Note:
        ``train_last`` are means over the iterations of the last epoch on the
        main process, which sees its share of each batch.

    Args:
        filename (str): Name in the work dir. Defaults to 'result.json'.
        less_keys (Sequence[str]): A metric whose name contains one of these is
            better when it is lower. Defaults to losses and calibration errors.

    Example:
        >>> custom_hooks = [dict(type='gssl_mm.ResultsHook')]
    """

    # Before CheckpointHook, which saves what this hook keeps in the hub.
    priority = 'LOW'

    def __init__(self,
                 filename: str = 'result.json',
                 less_keys=('loss', 'nll', 'ece', 'error')) -> None:
        self.filename = filename
        self.less_keys = tuple(less_keys)
        self._start = None

    def before_train(self, runner) -> None:
        """Start the clock where the resumed run stopped it."""
        self._start = time.time() - float(
            runner.message_hub.get_info(_WALL_TIME, 0.))
        self._commit = git_commit() if is_main_process() else None

    def after_train_iter(self,
                         runner,
                         batch_idx: int,
                         data_batch=None,
                         outputs=None) -> None:
        """Keep the wall time for a checkpoint inside an epoch."""
        self._stop_clock(runner)

    def after_val_epoch(self, runner, metrics=None) -> None:
        """Remember when the evaluation was made."""
        if self._start is None:
            return
        hub = runner.message_hub
        step = runner.iter if by_iteration(runner) else runner.epoch
        # A new list: a saved state must not change afterwards.
        made = [*hub.get_info(_EVALUATED_AT, []), step]
        hub.update_info(_EVALUATED_AT, made)
        self._stop_clock(runner)

    def after_train(self, runner) -> None:
        """Write the file."""
        self._stop_clock(runner)
        self._write(runner)
        self._start = None

    def _stop_clock(self, runner) -> None:
        runner.message_hub.update_info(_WALL_TIME, time.time() - self._start)

    @master_only
    def _write(self, runner) -> None:
        result = self._describe_run(runner)
        result['metrics'] = self._metrics(runner)
        result['train_last'] = self._train_last(runner)
        result['finished'] = True
        text = json.dumps(_plain(result), indent=2, allow_nan=False)
        path = Path(runner.work_dir) / self.filename
        atomic_write(path, f'{text}\n'.encode())
        runner.logger.info(f'Results are written to {path}.')

    def _describe_run(self, runner) -> dict:
        cfg, world_size = runner.cfg, get_world_size()
        wrapper = type(runner.optim_wrapper).__name__
        accumulate = runner.optim_wrapper._accumulative_counts
        total = (runner.train_dataloader.batch_size or 0) * world_size
        name = Path(cfg.filename).stem if cfg.filename else None
        return dict(
            config=name,
            config_text_sha=config_sha(cfg),
            cfg_options=recipe_options(cfg.get('cfg_options') or ()),
            label=cfg.get('result_label'),
            seed=runner.seed,
            git_commit=self._commit,
            dataset=describe_dataset(runner.train_dataloader.dataset),
            hardware=hardware(),
            versions=versions(),
            world_size=world_size,
            total_batch_size=cfg.get('total_batch_size', total * accumulate),
            amp='Amp' in wrapper,
            compile=bool(cfg.get('compile', False)),
            max_epochs=runner.max_epochs,
            max_iters=runner.max_iters,
            wall_time_s=runner.message_hub.get_info(_WALL_TIME))

    def _metrics(self, runner) -> dict:
        hub = runner.message_hub
        steps = hub.get_info(_EVALUATED_AT, [])
        metrics = {}
        for key, history in hub.log_scalars.items():
            name = key.removeprefix('val/')
            if name == key or name in _TIMERS:
                continue
            values = history.data[0].tolist()
            lower = any(word in name.lower() for word in self.less_keys)
            metrics[name] = summarise(values, steps[-len(values):], lower)
        return metrics

    @staticmethod
    def _train_last(runner) -> dict:
        means, length = {}, len(runner.train_dataloader)
        for key, history in runner.message_hub.log_scalars.items():
            name = key.removeprefix('train/')
            if name != key and name not in _TIMERS:
                means[name] = float(history.mean(length))
        return means


def summarise(values: list, steps: list, lower: bool = False) -> dict:
    """Condense the history of one metric.

    Args:
        values (list[float]): One value an evaluation; nan is skipped in the
            best and the median.
        steps (list[int]): Epoch (or iteration) of each, same length.
        lower (bool): Whether lower is better. Defaults to False.

    Returns:
        dict: ``last``, ``last_epoch``, ``best``, ``best_epoch`` (the first
        epoch that reached it), ``median_last20`` and ``history``; in an
        iteration-based run the steps are iterations.
    """
    known = [(v, s) for v, s in zip(values, steps, strict=False)
             if not math.isnan(v)]
    pick = min if lower else max
    best = pick(known, key=lambda pair: pair[0]) if known else (None, None)
    recent = [v for v in values[-_LAST:] if not math.isnan(v)]
    return dict(
        last=values[-1],
        last_epoch=steps[-1] if steps else None,
        best=best[0],
        best_epoch=best[1],
        median_last20=median(recent) if recent else None,
        history=values)


def _plain(value):
    """Make JSON of it: nan and infinity become null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
