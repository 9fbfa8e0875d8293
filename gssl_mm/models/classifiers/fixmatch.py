"""Pseudo-labels of a weak view teach a strong view."""
import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from gssl_mm.registry import MODELS

from ..losses.consistency import masked_cross_entropy
from ..utils.precision import float32_region
from ..utils.semi_supervised_preprocessor import SemiSupervisedBatch
from .semi_supervised import (
    SemiSupervisedClassifier,
    guess_accuracy,
    split_features,
)


@MODELS.register_module()
class FixMatchClassifier(SemiSupervisedClassifier):
    r"""Learn from confident guesses, with pretext tasks or without.

    Paper: FixMatch: Simplifying Semi-Supervised Learning with Consistency and
    Confidence, equations 3 and 4; Mixture of Self-Supervised Learning, equation
    5: :math:`L = L_s + \lambda_u L_u + \lambda L_{ssl}`.

    With p the softmax of the weak view's logits, without gradient,

    .. math::
        L_u = \frac{1}{\mu B} \sum_i [\max_c p_{ic} \ge \tau]\;
        CE(z^{strong}_i, \arg\max_c p_{ic})

    over all :math:`\mu B` unlabelled images, chosen or not. Labelled images,
    both views and, with ``ssl_views='separate'``, the copies for the pretext
    tasks go through the network in one pass, in this order, so that batch norm
    sees them together.

    Note:
        D15: the paper's lambda is 0.3, its code's 0.1: ``loss_weight`` of
        :class:`GatedMultiTaskHead`. D16: ``ssl_views`` of the data
        preprocessor. There is no sharpening: with hard guesses a temperature
        changes nothing.

    Args:
        *args: As :class:`SemiSupervisedClassifier`. The preprocessor has two
            views, the weak one first.
        threshold (float): tau, in [0, 1]. Defaults to 0.95.
        unlabeled_weight (float): lambda_u, at least 0. Defaults to 1.
        **kwargs: As :class:`SemiSupervisedClassifier`.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> crop = dict(type='gssl_mm.RandomCropFlip', padding_mode='reflect')
        >>> model = dict(
        ...     type='gssl_mm.FixMatchClassifier',
        ...     backbone=dict(type='gssl_mm.WideResNet', depth=28,
        ...                   widen_factor=2),
        ...     neck=dict(type='GlobalAveragePooling'),
        ...     head=dict(type='LinearClsHead', num_classes=10,
        ...               in_channels=128),
        ...     data_preprocessor=dict(
        ...         type='gssl_mm.SemiSupervisedDataPreprocessor',
        ...         mean=[127.5] * 3, std=[127.5] * 3, augment=[crop],
        ...         views=dict(weak=[crop], strong=[
        ...             crop, dict(type='gssl_mm.RandomCutout', size=16)])))
    """

    num_views = 2

    def __init__(self, *args, threshold: float = 0.95,
                 unlabeled_weight: float = 1., **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if not 0 <= threshold <= 1 or unlabeled_weight < 0:
            raise ValueError(
                'threshold must be in [0, 1] and unlabeled_weight at least 0, '
                f'but got {threshold} and {unlabeled_weight}')
        self.threshold = threshold
        self.unlabeled_weight = unlabeled_weight

    def semi_supervised_loss(self, batch: SemiSupervisedBatch,
                             data_samples: list[DataSample]) -> dict:
        """Return ``loss_cls``, ``loss_unlabeled``, the pretext terms, and
        ``mask_rate`` (share of confident guesses), ``acc_pseudo`` and
        ``acc_masked`` (percentages of right guesses, of all and of these).
        """
        parts = [batch.labeled, *batch.views.values()]
        if batch.copies is not None:
            parts.append(batch.copies)
        feats = split_features(
            self.encode(torch.cat(parts)), [len(part) for part in parts])
        losses = self.supervised_loss(feats[0], data_samples)
        losses.update(self.consistency(
            self.logits(feats[1]), self.logits(feats[2]), batch.truth))
        learnt = feats if batch.copies is None else feats[-1:]
        return {**losses, **self.pretext_loss(learnt, batch)}

    def consistency(self, weak: Tensor, strong: Tensor,
                    truth: Tensor) -> dict:
        """The unlabelled loss of two views' logits, float32 ``(M, K)``."""
        with float32_region(weak.device):
            confidence, guess = weak.detach().softmax(1).max(1)
            mask = confidence >= self.threshold
            value = masked_cross_entropy(strong, guess, mask)
        return dict(
            loss_unlabeled=self.unlabeled_weight * value,
            ce_unlabeled=value.detach(),
            mask_rate=mask.float().mean(),
            acc_pseudo=guess_accuracy(guess, truth),
            acc_masked=guess_accuracy(guess, truth, mask))
