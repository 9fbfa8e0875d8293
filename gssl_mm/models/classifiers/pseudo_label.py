"""A network's confident guesses become its labels."""
from mmpretrain.structures import DataSample

from gssl_mm.registry import MODELS

from ..losses.consistency import masked_cross_entropy
from ..utils.precision import float32_region
from ..utils.semi_supervised_preprocessor import SemiSupervisedBatch
from .semi_supervised import RampedClassifier, guess_accuracy


@MODELS.register_module()
class PseudoLabelClassifier(RampedClassifier):
    r"""Learn from confident guesses on the same view.

    Paper: Pseudo-Label: The Simple and Efficient Semi-Supervised Learning
    Method for Deep Neural Networks, equation 15, in the form of the FixMatch
    code: :math:`L = L_s + w\,r(k) \frac{1}{M} \sum_i [\max_c p_{ic} > \tau]
    CE(z_i, \arg\max_c p_{ic})`, with the ramp :math:`r(k) = \mathrm{clip}(k /
    (0.4 K), 0, 1)`. The guess has no gradient.

    Note:
        The comparison is strict, as in the FixMatch code; FixMatch's own is
        not. The running statistics of batch norm are those of the labelled
        images; unlabelled ones are normalised by their own.

    Args:
        *args: As :class:`SemiSupervisedClassifier`. The preprocessor has one
            view.
        threshold (float): tau, in [0, 1]. Defaults to 0.95.
        unlabeled_weight (float): w, at least 0. Defaults to 1.
        ramp_share (float): Part of the training over which r rises, positive.
            Defaults to 0.4.
        **kwargs: As :class:`SemiSupervisedClassifier`.

    Raises:
        ValueError: If an argument is out of its range.
    """

    num_views = 1

    def __init__(self, *args, threshold: float = 0.95,
                 unlabeled_weight: float = 1., **kwargs) -> None:
        super().__init__(*args, unlabeled_weight=unlabeled_weight, **kwargs)
        if not 0 <= threshold <= 1:
            raise ValueError(
                f'threshold must be in [0, 1], but got {threshold}')
        self.threshold = threshold

    def semi_supervised_loss(self, batch: SemiSupervisedBatch,
                             data_samples: list[DataSample]) -> dict:
        """Return ``loss_cls``, ``loss_unlabeled`` and what is logged."""
        view, = batch.views.values()
        labeled, unlabeled = self.encode(batch.labeled), self.encode_apart(view)
        losses = self.supervised_loss(labeled, data_samples)
        logits = self.logits(unlabeled)
        with float32_region(logits.device):
            confidence, guess = logits.detach().softmax(1).max(1)
            mask = confidence > self.threshold
            value = masked_cross_entropy(logits, guess, mask)
        losses.update(
            loss_unlabeled=self.current_weight() * value,
            ce_unlabeled=value.detach(),
            mask_rate=mask.float().mean(),
            acc_pseudo=guess_accuracy(guess, batch.truth),
            acc_masked=guess_accuracy(guess, batch.truth, mask))
        return {**losses, **self.pretext_apart([labeled, unlabeled], batch)}
