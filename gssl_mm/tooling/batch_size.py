"""Divide a recipe's total batch among processes and accumulated steps."""
from dataclasses import dataclass
from typing import Any

from .errors import BatchSizeError

LOADER_KEY = 'train_dataloader.batch_size'


@dataclass(frozen=True)
class BatchPlan:
    """How one optimiser step's batch is made up.

    Args:
        total (int): Images an optimiser step.
        processes (int): Number of processes.
        accumulative_counts (int): Forward passes an optimiser step.
    """

    total: int
    processes: int
    accumulative_counts: int

    @property
    def per_process(self) -> int:
        """Images of one forward pass in one process."""
        return self.total // (self.processes * self.accumulative_counts)

    def __str__(self) -> str:
        return (f'total batch {self.total} = {self.per_process} a process x '
                f'{self.processes} process(es) x {self.accumulative_counts} '
                'accumulated step(s)')


def _positive_int(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BatchSizeError(
            f'{name} must be an integer of at least 1, got {value!r}.')
    return value


def divide(total: int, processes: int, accumulative_counts: int = 1
           ) -> BatchPlan:
    """Divide the total batch, or say which numbers of processes would do.

    Raises:
        BatchSizeError: The total does not divide.
    """
    total = _positive_int(total, 'total_batch_size')
    counts = _positive_int(accumulative_counts, 'accumulative_counts')
    if total % (processes * counts):
        fits = [p for p in range(1, 65) if total % (p * counts) == 0]
        raise BatchSizeError(
            f'total_batch_size={total} does not divide by {processes} '
            f'process(es) x accumulative_counts={counts}. Use '
            f'{", ".join(map(str, fits)) or "no such number of"} processes, '
            'or give another total with --cfg-options total_batch_size=N.')
    return BatchPlan(total, processes, counts)


def _own_batch(cfg: Any, options: dict, plan: BatchPlan) -> BatchPlan:
    """The plan when the user set the loader's batch by hand."""
    batch = _positive_int(options[LOADER_KEY], LOADER_KEY)
    total = batch * plan.processes * plan.accumulative_counts
    if 'total_batch_size' in options and total != plan.total:
        raise BatchSizeError(
            f'--cfg-options sets {LOADER_KEY}={batch} and total_batch_size='
            f'{plan.total}, which disagree: {batch} x {plan.processes} '
            f'process(es) x {plan.accumulative_counts} accumulated step(s) = '
            f'{total}. Give one of the two.')
    cfg.total_batch_size = total
    return BatchPlan(total, plan.processes, plan.accumulative_counts)


def apply_total_batch_size(cfg: Any, processes: int,
                           options: dict | None = None) -> BatchPlan | None:
    """Set the training loader's batch size from ``total_batch_size``.

    The base of ``auto_scale_lr`` is divided by the accumulated steps, since the
    host compares it with the images of one forward pass.

    Args:
        cfg (Config): Merged config, changed in place. Without
            ``total_batch_size`` it is left as the host would read it.
        processes (int): Number of processes.
        options (dict, optional): ``--cfg-options``. A
            ``train_dataloader.batch_size`` given there wins over the config's
            total.

    Returns:
        BatchPlan, optional: None when the config states no total.

    Raises:
        BatchSizeError: The total does not divide, or two overrides disagree.
    """
    options = options or {}
    loader, total = cfg.get('train_dataloader'), cfg.get('total_batch_size')
    if total is None or loader is None or loader.get('batch_sampler'):
        return None
    counts = (cfg.get('optim_wrapper') or {}).get('accumulative_counts', 1)
    if LOADER_KEY in options:
        plan = _own_batch(cfg, options, BatchPlan(total, processes, counts))
    else:
        plan = divide(total, processes, counts)
    loader['batch_size'] = plan.per_process
    scale = cfg.get('auto_scale_lr')
    if scale and scale.get('base_batch_size') and counts > 1:
        scale['base_batch_size'] = scale['base_batch_size'] / counts
    return plan


__all__ = ['BatchPlan', 'apply_total_batch_size', 'divide']
