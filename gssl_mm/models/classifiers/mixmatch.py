"""Mix labelled and unlabelled images with their labels and guesses."""
import torch
from mmengine.dist import get_dist_info
from mmpretrain.models.losses import CrossEntropyLoss
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from gssl_mm.registry import MODELS

from ..heads.primary_head import primary_head
from ..losses.consistency import probability_mse, sharpen
from ..utils.precision import float32_region
from ..utils.semi_supervised_preprocessor import SemiSupervisedBatch
from ..utils.step_random import step_generator
from .mixmatch_parts import draw_mix, gather_global, interleave, target_of
from .semi_supervised import (
    SemiSupervisedClassifier,
    guess_accuracy,
    training_step,
)


@MODELS.register_module()
class MixMatchClassifier(SemiSupervisedClassifier):
    r"""Learn from mixtures of labelled and unlabelled images.

    Paper: MixMatch: A Holistic Approach to Semi-Supervised Learning, algorithm
    1, in the form and with the constants of the FixMatch code.

    The guess q of an image is the mean of its views' probabilities, raised to
    1 / T and normalised, without gradient. Every image of {labelled, view 1,
    view 2} is mixed with one of a random order of all of them, by
    :math:`\lambda' = \max(\lambda, 1 - \lambda)` with :math:`\lambda \sim
    Beta(\alpha, \alpha)` an image. With mixed targets y', q',

    .. math::
        L = \frac{1}{B} \sum_i CE(z'_i, y'_i) + w(k) \frac{1}{M K} \sum_{i,c}
        (q'_{ic} - p'_{ic})^2, \quad w(k) = w\,\mathrm{clip}(k B / 2^{20}, 0, 1)

    Three batches, into which labelled and unlabelled images are interleaved,
    go through the network; the first one moves batch norm's running
    statistics. The order is drawn over the images of all processes.

    Note:
        A common port draws one lambda a batch. The paper has alpha 0.75 and
        w 75, its re-run in the FixMatch paper 0.5 and 100. Pretext tasks need
        ``ssl_views='separate'``: a mixed image has two transformations.

    Args:
        *args: As :class:`SemiSupervisedClassifier`. The preprocessor has two
            views, and there are as many unlabelled images as labelled ones.
        unlabeled_weight (float): w, at least 0. Defaults to 100.
        temperature (float): T, positive. Defaults to 0.5.
        alpha (float): Positive. Defaults to 0.5.
        ramp_images (int): Labelled images after which w is reached. Defaults
            to 2**20, 16,384 steps of 64.
        **kwargs: As :class:`SemiSupervisedClassifier`.

    Raises:
        ValueError: If an argument is out of its range, the head has another
            loss than the plain cross-entropy, pretext tasks transform the
            views in place, or the parts differ in size.
    """

    num_views = 2

    def __init__(self, *args, unlabeled_weight: float = 100.,
                 temperature: float = 0.5, alpha: float = 0.5,
                 ramp_images: int = 2**20, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if unlabeled_weight < 0 or min(temperature, alpha, ramp_images) <= 0:
            raise ValueError(
                'unlabeled_weight must be at least 0, temperature, alpha and '
                f'ramp_images positive, but got {unlabeled_weight}, '
                f'{temperature}, {alpha} and {ramp_images}')
        preprocessor = self.data_preprocessor
        if preprocessor.pretext and preprocessor.ssl_views != 'separate':
            raise ValueError(
                'MixMatch mixes the images of its views, and a mixed image has '
                "two transformations: set ssl_views='separate'")
        _check_loss(primary_head(self))
        self.unlabeled_weight = unlabeled_weight
        self.temperature = temperature
        self.alpha = alpha
        self.ramp_images = ramp_images

    def semi_supervised_loss(self, batch: SemiSupervisedBatch,
                             data_samples: list[DataSample]) -> dict:
        """Return ``loss_cls``, ``loss_unlabeled`` and what is logged."""
        views = list(batch.views.values())
        if any(len(view) != len(batch.labeled) for view in views):
            raise ValueError(
                f'MixMatch needs as many unlabelled images as labelled ones, '
                f'but got {len(views[0])} and {len(batch.labeled)}. Set '
                'unlabeled_ratio=1, and drop_last=True')
        guess = self.guess(views)
        target = target_of(data_samples, guess)
        images, targets = self.mix(
            torch.cat([batch.labeled, *views]), torch.cat([target, guess,
                                                           guess]))
        logits = self.classify(list(images.chunk(3)))
        sizes = [len(batch.labeled), 2 * len(views[0])]
        losses = self._terms(logits.split(sizes), targets.split(sizes))
        losses['acc_pseudo'] = guess_accuracy(guess.argmax(1), batch.truth)
        return {**losses, **self.pretext_apart([], batch)}

    @torch.no_grad()
    def guess(self, views: list[Tensor]) -> Tensor:
        """Sharpened mean of the views' probabilities, float32 ``(M, K)``."""
        logits = [self.logits(self.encode_apart(view)) for view in views]
        # Older releases of torch keep casts that were made without gradient
        torch.clear_autocast_cache()
        with float32_region(views[0].device):
            mean = torch.stack([z.softmax(1) for z in logits]).mean(0)
            return sharpen(mean, self.temperature)

    @torch.no_grad()
    def mix(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Mix each row with another one of all processes' rows."""
        order, share = draw_mix(
            len(images), self.alpha, step_generator('mixmatch'))
        order, share = (drawn.to(images.device, non_blocking=True)
                        for drawn in (order, share))
        mixed = []
        for own in (images, targets):
            other = gather_global(own)[order]
            weight = share.view(-1, *[1] * (own.ndim - 1))
            mixed.append(weight * own + (1 - weight) * other)
        return mixed[0], mixed[1]

    def classify(self, parts: list[Tensor]) -> Tensor:
        """Logits of the parts, normalised in interleaved batches."""
        first, *others = interleave(parts)
        logits = [self.logits(self.encode(first))]
        logits += [self.logits(self.encode_apart(other)) for other in others]
        return torch.cat(interleave(logits))

    def _terms(self, logits: tuple, targets: tuple) -> dict:
        with float32_region(logits[0].device):
            labeled = -(targets[0] * logits[0].log_softmax(1)).sum(1).mean()
            value = probability_mse(logits[1], targets[1])
        weight = self.unlabeled_weight * self._ramp(len(logits[0]))
        return dict(loss_cls=labeled, loss_unlabeled=weight * value,
                    mse_unlabeled=value.detach())

    @torch.compiler.disable
    def _ramp(self, batch_size: int) -> Tensor:
        seen = training_step()[0] * batch_size * get_dist_info()[1]
        return torch.tensor(min(seen / self.ramp_images, 1.))


def _check_loss(head: nn.Module) -> None:
    """Refuse a loss that the mixtures would not be trained by."""
    loss = getattr(head, 'loss_module', None)
    if loss is not None and not (
            type(loss) is CrossEntropyLoss and loss.class_weight is None
            and not loss.use_sigmoid and loss.loss_weight == 1):
        raise ValueError(
            'MixMatch trains on mixed labels by their cross-entropy, but the '
            f'head has {type(loss).__name__} or weights. Set '
            "loss=dict(type='CrossEntropyLoss')")
