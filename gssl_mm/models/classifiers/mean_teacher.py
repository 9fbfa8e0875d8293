"""The average of a network's past weights teaches it."""
import torch
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from gssl_mm.registry import MODELS

from ..utils.batch_statistics import keep_running_stats
from ..utils.semi_supervised_preprocessor import SemiSupervisedBatch
from .semi_supervised import RampedClassifier


@MODELS.register_module()
class MeanTeacherClassifier(RampedClassifier):
    r"""Pull the probabilities of one view to the teacher's of another.

    Paper: Mean teachers are better role models: Weight-averaged consistency
    targets improve semi-supervised deep learning results, section 2, in the
    form of the FixMatch code:

    .. math::
        L = L_s + w\,r(k) \frac{1}{M K} \sum_{i,c} (p'_{1,ic} - p_{2,ic})^2

    where p' is the softmax of the network with averaged weights, in training
    mode, on the first view, and p this network's on the second; r as in
    :class:`PiModelClassifier`.

    Note:
        The teacher is the average that :class:`gssl_mm.FixMatchHook` keeps
        (decay 0.999), the one that is validated. It uses and leaves no running
        statistics. A common port computes the student's probabilities from
        the teacher's output, so that its loss has no gradient; not here.

    Args:
        *args: As :class:`SemiSupervisedClassifier`. The preprocessor has two
            views: the teacher's and the student's.
        unlabeled_weight (float): w, at least 0. Defaults to 50.
        ramp_share (float): Part of the training over which r rises, positive.
            Defaults to 0.4.
        **kwargs: As :class:`SemiSupervisedClassifier`.

    Raises:
        ValueError: If an argument is out of its range, or there is no teacher.
    """

    num_views = 2

    def __init__(self, *args, unlabeled_weight: float = 50.,
                 **kwargs) -> None:
        super().__init__(*args, unlabeled_weight=unlabeled_weight, **kwargs)
        # In a tuple, so that it is no part of this module
        self._teacher: tuple[nn.Module, ...] = ()

    def set_teacher(self, teacher: nn.Module) -> None:
        """Take the network with averaged weights; the hook calls this."""
        self._teacher = (teacher, )

    def semi_supervised_loss(self, batch: SemiSupervisedBatch,
                             data_samples: list[DataSample]) -> dict:
        """Return ``loss_cls``, ``loss_unlabeled`` and what is logged."""
        first, second = batch.views.values()
        labeled, student = self.encode(batch.labeled), self.encode_apart(second)
        losses = self.supervised_loss(labeled, data_samples)
        losses.update(self.pull(
            self.logits(student), self.teach(first), batch.truth))
        return {**losses, **self._pretext(labeled, first, student, batch)}

    @torch.no_grad()
    def teach(self, view: Tensor) -> Tensor:
        """The teacher's probabilities of a view, float32 ``(M, K)``."""
        if not self._teacher:
            raise ValueError(
                f'{type(self).__name__} has no teacher. Add custom_hooks=['
                "dict(type='gssl_mm.FixMatchHook', unlabeled_ratio=1)], which "
                'averages the weights')
        teacher, = self._teacher
        teacher.train()
        with keep_running_stats(teacher):
            feats = teacher.encode(view)
        return teacher.logits(feats).softmax(1)

    def _pretext(self, labeled: tuple, first: Tensor, student: tuple,
                 batch: SemiSupervisedBatch) -> dict:
        feats = [labeled, student]
        if batch.pretext_labels is not None and batch.copies is None:
            # The first view's labels are there too: the student learns them
            feats = [labeled, self.encode_apart(first), student]
        return self.pretext_apart(feats, batch)
