"""Two random views of an image get the same probabilities."""
import torch
from mmpretrain.structures import DataSample

from gssl_mm.registry import MODELS

from ..utils.semi_supervised_preprocessor import SemiSupervisedBatch
from .semi_supervised import RampedClassifier


@MODELS.register_module()
class PiModelClassifier(RampedClassifier):
    r"""Pull the probabilities of one view to those of another.

    Paper: Temporal Ensembling for Semi-Supervised Learning, section 2.1, in the
    form of the FixMatch code:

    .. math::
        L = L_s + w\,r(k) \frac{1}{M K} \sum_{i,c} (\mathrm{sg}(p_{1,ic})
        - p_{2,ic})^2

    with the ramp :math:`r(k) = \mathrm{clip}(k / (0.4 K), 0, 1)`; sg stops the
    gradient.

    Note:
        The running statistics of batch norm are those of the labelled images;
        each view is normalised by its own.

    Args:
        *args: As :class:`SemiSupervisedClassifier`. The preprocessor has two
            views: the target and the one that learns.
        unlabeled_weight (float): w, at least 0. Defaults to 10.
        ramp_share (float): Part of the training over which r rises, positive.
            Defaults to 0.4.
        **kwargs: As :class:`SemiSupervisedClassifier`.

    Raises:
        ValueError: If an argument is out of its range.
    """

    num_views = 2

    def __init__(self, *args, unlabeled_weight: float = 10.,
                 **kwargs) -> None:
        super().__init__(*args, unlabeled_weight=unlabeled_weight, **kwargs)

    def semi_supervised_loss(self, batch: SemiSupervisedBatch,
                             data_samples: list[DataSample]) -> dict:
        """Return ``loss_cls``, ``loss_unlabeled`` and what is logged."""
        first, second = batch.views.values()
        labeled, learner = self.encode(batch.labeled), self.encode_apart(second)
        losses = self.supervised_loss(labeled, data_samples)
        in_place = batch.pretext_labels is not None and batch.copies is None
        with torch.set_grad_enabled(in_place):
            other = self.encode_apart(first)
        target = self.logits(other).detach().softmax(1)
        losses.update(self.pull(self.logits(learner), target, batch.truth))
        return {**losses,
                **self.pretext_apart([labeled, other, learner], batch)}
