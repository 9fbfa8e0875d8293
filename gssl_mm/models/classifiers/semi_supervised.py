"""What the classifiers that learn from unlabelled images share."""
from abc import ABCMeta, abstractmethod

import torch
from mmengine.logging import MessageHub
from mmpretrain.models import ImageClassifier
from mmpretrain.structures import DataSample
from torch import Tensor

from gssl_mm.datasets.errors import EmptyUnlabeledError

from ..heads import classification_loss
from ..losses.consistency import probability_mse
from ..utils.batch_statistics import keep_running_stats
from ..utils.precision import as_weights, float32_region, pooled_feature
from ..utils.semi_supervised_preprocessor import SemiSupervisedBatch


class SemiSupervisedClassifier(ImageClassifier, metaclass=ABCMeta):
    """Base of classifiers that train on labelled images and unlabelled views.

    A subclass writes :meth:`semi_supervised_loss`. The deployed model is the
    plain ``ImageClassifier``: ``forward`` and ``predict`` are the host's, and
    nothing but ``loss`` is added.

    A head with pretext tasks learns them from all images, in one mean a task,
    when the data preprocessor has these tasks.

    Args:
        *args: As the host's ``ImageClassifier``; the data preprocessor is a
            ``gssl_mm.SemiSupervisedDataPreprocessor``.
        **kwargs: As the host's ``ImageClassifier``.

    Shape:
        - inputs: in ``loss`` a :class:`SemiSupervisedBatch`, elsewhere images
          float32 ``(N, C, H, W)``.

    Raises:
        ValueError: If the preprocessor gives another number of views than
            :attr:`num_views`, or labels for other tasks than the head's, or
            the head compares gradients of labelled images.
        EmptyUnlabeledError: If a training batch has no unlabelled views.
    """

    num_views: int

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        views = getattr(self.data_preprocessor, 'views', None)
        if views is None or len(views) != self.num_views:
            raise ValueError(
                f'{type(self).__name__} learns from {self.num_views} view(s) '
                f'of unlabelled images, but got {list(views or ())}. Set '
                "data_preprocessor=dict(type='gssl_mm."
                "SemiSupervisedDataPreprocessor', views=dict(...))")
        pretext = self.data_preprocessor.pretext
        labelled = [(t.name, t.num_classes) for t in pretext.tasks
                    ] if pretext else []
        wanted = list(getattr(self.head, 'num_task_classes', {}).items())
        if labelled != wanted:
            raise ValueError(
                f'the data preprocessor labels {labelled} (task, classes), '
                f'but the head was built for {wanted}. Give both the same '
                'tasks in the same order')
        if getattr(self.head, 'compares', False):
            raise ValueError(
                'gradients of the classification exist for labelled images '
                f'alone, and {type(self).__name__} learns pretext tasks from '
                'all: leave log_agreement out, and AlignedGate for '
                'gssl_mm.SoftmaxGate')

    @abstractmethod
    def semi_supervised_loss(self, batch: SemiSupervisedBatch,
                             data_samples: list[DataSample]) -> dict:
        """Return the loss terms and what is logged beside them."""

    def loss(self, inputs: SemiSupervisedBatch,
             data_samples: list[DataSample]) -> dict:
        """Return the losses of a batch with views."""
        if not isinstance(inputs, SemiSupervisedBatch):
            raise EmptyUnlabeledError(
                f'{type(self).__name__} got a batch without unlabelled '
                "images. Add custom_hooks=[dict(type='gssl_mm.FixMatchHook')]")
        return self.semi_supervised_loss(inputs, data_samples)

    def encode(self, images: Tensor) -> tuple:
        """Features in the type of the head's weights, float32 as a rule."""
        return as_weights(self.head, self.extract_feat(images))

    def encode_apart(self, images: Tensor) -> tuple:
        """Features whose batch statistics are not remembered."""
        with keep_running_stats(self.backbone, self.neck):
            return self.encode(images)

    def supervised_loss(self, feats: tuple,
                        data_samples: list[DataSample]) -> dict:
        """The primary head's loss on labelled images, as ``loss_cls``."""
        return classification_loss(self.head, feats, data_samples)

    def logits(self, feats: tuple) -> Tensor:
        """Logits of the classes, float32 ``(N, K)``."""
        with float32_region(feats[-1].device):
            return self.head(feats)

    def pretext_loss(self, feats: list[tuple],
                     batch: SemiSupervisedBatch) -> dict:
        """Pretext terms of all images together; none without pretext tasks.

        Args:
            feats (list[tuple]): Features in the order of ``pretext_labels``.
            batch (SemiSupervisedBatch): What they are features of.
        """
        if batch.pretext_labels is None:
            return {}
        pooled = torch.cat([pooled_feature(feat) for feat in feats])
        with float32_region(pooled.device):
            return self.head.pretext_loss(pooled, batch.pretext_labels)

    def pretext_apart(self, feats: list[tuple],
                      batch: SemiSupervisedBatch) -> dict:
        """As :meth:`pretext_loss`, with a pass of its own for the copies."""
        if batch.copies is not None:
            feats = [self.encode_apart(batch.copies)]
        return self.pretext_loss(feats, batch)


def split_features(feats: tuple, sizes: list[int]) -> list[tuple]:
    """Cut the features of a concatenated batch into those of its parts."""
    return list(zip(*(feat.split(sizes) for feat in feats), strict=True))


def training_step() -> tuple[int, int]:
    """Iteration, counted from 0, and the number of iterations of the run.

    Outside a runner both are 1: what is ramped up over a run is at its end.
    """
    info = MessageHub.get_current_instance().runtime_info
    if 'iter' not in info or 'max_iters' not in info:
        return 1, 1
    return int(info['iter']), int(info['max_iters'])


@torch.compiler.disable
def ramp_up(share: float) -> Tensor:
    r"""Linear ramp :math:`\mathrm{clip}(k / (share K), 0, 1)` of iteration k
    of K.

    A scalar tensor on the CPU: a compiled step would be compiled anew for
    every new Python number.
    """
    step, steps = training_step()
    return torch.tensor(min(max(step / (share * steps), 0.), 1.))


class RampedClassifier(SemiSupervisedClassifier):
    """The unlabelled loss has a weight that rises from 0.

    Args:
        *args: As :class:`SemiSupervisedClassifier`.
        unlabeled_weight (float): w, at least 0.
        ramp_share (float): Part of the training over which it rises, positive.
            Defaults to 0.4.
        **kwargs: As :class:`SemiSupervisedClassifier`.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self, *args, unlabeled_weight: float,
                 ramp_share: float = 0.4, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if unlabeled_weight < 0 or ramp_share <= 0:
            raise ValueError(
                'unlabeled_weight must be at least 0 and ramp_share positive, '
                f'but got {unlabeled_weight} and {ramp_share}')
        self.unlabeled_weight = unlabeled_weight
        self.ramp_share = ramp_share

    def current_weight(self) -> Tensor:
        """Weight in this iteration, a scalar on the CPU."""
        return self.unlabeled_weight * ramp_up(self.ramp_share)

    def pull(self, logits: Tensor, target: Tensor, truth: Tensor) -> dict:
        """The loss that pulls probabilities to others, and what is logged.

        Args:
            logits (Tensor): float32 ``(M, K)``.
            target (Tensor): Probabilities, float32 ``(M, K)``, not
                differentiated.
            truth (Tensor): int64 ``(M,)``, -1 where there is no label.
        """
        with float32_region(logits.device):
            value = probability_mse(logits, target)
        return dict(
            loss_unlabeled=self.current_weight() * value,
            mse_unlabeled=value.detach(),
            acc_pseudo=guess_accuracy(target.argmax(1), truth))


def guess_accuracy(guess: Tensor, truth: Tensor,
                   mask: Tensor | None = None) -> Tensor:
    """Percentage of right guesses among those with a label (0 if none).

    Args:
        guess (Tensor): int64 ``(N,)``.
        truth (Tensor): int64 ``(N,)``, -1 where there is no label.
        mask (Tensor, optional): bool ``(N,)``, which guesses count.
    """
    known = truth >= 0
    if mask is not None:
        known = known & mask
    hits = (guess == truth) & known
    return 100 * hits.sum() / known.sum().clamp(min=1)


__all__ = [
    'RampedClassifier', 'SemiSupervisedClassifier', 'guess_accuracy', 'ramp_up',
    'split_features', 'training_step'
]
