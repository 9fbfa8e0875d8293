"""Tells metrics how many training samples every class has."""
from __future__ import annotations

import copy

import numpy as np
from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook
from mmengine.registry import DATASETS
from mmengine.runner import Runner

from gssl_mm.datasets.label_utils import distinct_class_counts
from gssl_mm.registry import HOOKS

from .utils import COUNTS_KEY, WORK_DIR_KEY


def _ask_for_counts(evaluator: Evaluator | None) -> bool:
    metrics = getattr(evaluator, 'metrics', None) or ()
    return any(getattr(m, 'needs_class_counts', False) for m in metrics)


@HOOKS.register_module()
class ClassCountsHook(Hook):
    """Publish training counts and the work dir to the metrics.

    A metric does not see the runner; it reads ``train_class_counts`` and
    ``work_dir`` from the message hub. The counts come from the training set
    of the run; in a run that only tests, from the checkpoint, which this hook
    has given them, or else from the dataset in ``train_dataloader`` of the
    config, which is built for that (only if a metric asks for counts, and
    released at once).

    Example:
        >>> custom_hooks = [dict(type='gssl_mm.ClassCountsHook')]
    """

    def before_run(self, runner: Runner) -> None:
        """Publish the work dir."""
        runner.message_hub.update_info(
            WORK_DIR_KEY, str(runner.work_dir), resumed=False)

    def before_train(self, runner: Runner) -> None:
        """Publish the counts of the set that is trained on."""
        dataset = runner.train_dataloader.dataset
        evaluator = runner.val_evaluator if runner.val_loop else None
        if hasattr(dataset, 'class_counts') or _ask_for_counts(evaluator):
            self._publish(runner, distinct_class_counts(dataset))
        else:
            # Those of a checkpoint that training started from.
            runner.message_hub.pop_info(COUNTS_KEY, None)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Give the checkpoint the counts, as a list of int."""
        counts = runner.message_hub.get_info(COUNTS_KEY)
        if counts is not None:
            meta = checkpoint.setdefault('meta', {})
            meta[COUNTS_KEY] = [int(n) for n in counts]

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Publish what the checkpoint was trained on."""
        counts = (checkpoint.get('meta') or {}).get(COUNTS_KEY)
        if counts is not None:
            self._publish(runner, np.asarray(counts, np.int64))

    def before_val(self, runner: Runner) -> None:
        """Make sure of the counts in a run that only validates."""
        self._ensure(runner, runner.val_evaluator)

    def before_test(self, runner: Runner) -> None:
        """Make sure of the counts in a run that only tests."""
        self._ensure(runner, runner.test_evaluator)

    def _ensure(self, runner: Runner, evaluator: Evaluator) -> None:
        known = runner.message_hub.get_info(COUNTS_KEY) is not None
        if known or not _ask_for_counts(evaluator):
            return
        loader = runner.cfg.get('train_dataloader') or {}
        dataset = loader.get('dataset')
        if isinstance(dataset, dict):
            dataset = DATASETS.build(copy.deepcopy(dataset))
        if dataset is not None:
            self._publish(runner, distinct_class_counts(dataset))

    @staticmethod
    def _publish(runner: Runner, counts: np.ndarray) -> None:
        runner.message_hub.update_info(COUNTS_KEY, counts, resumed=False)
