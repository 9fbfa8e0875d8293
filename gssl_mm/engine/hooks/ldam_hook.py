"""Class counts for losses, and deferred re-weighting."""
from collections.abc import Sequence

from mmengine.hooks import Hook

from gssl_mm.datasets.label_utils import distinct_class_counts
from gssl_mm.models.losses import effective_number_weights
from gssl_mm.registry import HOOKS

from ..loop_facts import passes


@HOOKS.register_module()
class LDAMHook(Hook):
    r"""Tell losses the class counts; re-weight classes from an epoch on.

    Paper: Learning Imbalanced Datasets with Label-Distribution-Aware Margin
    Loss, section 3.3 (deferred re-weighting). Before training every loss with
    ``set_class_counts`` (:class:`LDAMLoss`, :class:`SoftmaxFocalLoss`,
    :class:`ClassBalancedCrossEntropyLoss`) learns the counts of the training
    set. From epoch ``drw_epoch`` on their class weights are
    :math:`w_c \propto (1 - \beta) / (1 - \beta^{n_c})`, with sum N.

    The weights are a function of the epoch alone, so that a resumed run has
    them too. In an iteration-based loop an epoch is one pass over the loader.

    Args:
        drw_epoch (int, optional): First epoch, counted from 0, with class
            weights; 0 re-weights throughout, None never. Defaults to 160.
        beta (float): In [0, 1). Defaults to 0.9999.
        class_counts (Sequence[int], optional): Counts in label order, where
            the dataset cannot tell. Defaults to None.

    Raises:
        ValueError: If ``beta`` or ``drw_epoch`` is out of range, or no loss of
            the model takes class counts.

    Example:
        >>> custom_hooks = [dict(type='gssl_mm.LDAMHook', drw_epoch=160)]
    """

    def __init__(self, drw_epoch: int | None = 160, beta: float = 0.9999,
                 class_counts: Sequence[int] | None = None) -> None:
        if not 0 <= beta < 1:
            raise ValueError(f'beta must be in [0, 1), but got {beta}')
        if drw_epoch is not None and drw_epoch < 0:
            raise ValueError(
                f'drw_epoch must be at least 0 or None, but got {drw_epoch}')
        self.drw_epoch = drw_epoch
        self.beta = beta
        self.class_counts = class_counts
        self._epoch: int | None = None

    def before_train(self, runner) -> None:
        """Hand the counts of the training set to the losses."""
        if self.class_counts is None:
            self.class_counts = distinct_class_counts(
                runner.train_dataloader.dataset)
        losses = self._losses(runner)
        if not losses:
            raise ValueError(
                'LDAMHook found no loss that takes class counts. Use '
                "loss=dict(type='gssl_mm.LDAMLoss'), or remove the hook")
        for loss in losses:
            loss.set_class_counts(self.class_counts)
        self._epoch = None

    def before_train_iter(self,
                          runner,
                          batch_idx: int,
                          data_batch=None) -> None:
        """Set the class weights where an epoch, or a pass, begins."""
        epoch = passes(runner)
        if epoch != self._epoch:
            self._epoch = epoch
            self._weigh(runner, epoch)

    def _weigh(self, runner, epoch: int) -> None:
        weight = None
        if self.drw_epoch is not None and epoch >= self.drw_epoch:
            weight = effective_number_weights(self.class_counts, self.beta)
        for loss in self._losses(runner):
            loss.set_class_weight(weight)

    @staticmethod
    def _losses(runner) -> list:
        # A wrapped model (DDP, compiled) lists the modules of the inner one
        return [module for module in runner.model.modules()
                if hasattr(module, 'set_class_counts')]
