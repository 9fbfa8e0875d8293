"""Adversarial training with an auxiliary prediction of rotations."""
from collections.abc import Callable

import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from gssl_mm.registry import MODELS

from ..attacks.functional import check_logits
from ..heads import GatedMultiTaskHead, classification_loss
from ..utils.class_targets import class_targets
from ..utils.precision import as_weights, float32_region, pooled_feature
from .adversarial import AdversarialClassifier

TURNS = 4
VIEWS = TURNS + 1


def rotated_views(images: Tensor) -> Tensor:
    """Stack images and their four rotations: ``(5 N, C, S, S)``.

    Block 0 is the batch itself, block 1 + k the batch after k counter-clockwise
    quarter turns.
    """
    turned = [images.rot90(k, (2, 3)) for k in range(TURNS)]
    return torch.cat([images, *turned])


def _split(feats: tuple, num_samples: int) -> tuple[tuple, tuple]:
    """Features of the plain images, and of the rotated ones."""
    return (tuple(feat[:num_samples] for feat in feats),
            tuple(feat[num_samples:] for feat in feats))


@MODELS.register_module()
class RotationAuxiliaryClassifier(AdversarialClassifier):
    r"""Train on attacked images and all rotations of them.

    Paper: Using Self-Supervised Learning Can Improve Model Robustness and
    Uncertainty, section 3.1; row "+ rotations" of table 2 of the G-SSL paper.

    Each batch of B images becomes 5 B: the images for the classifier and their
    four rotations for a 4-way head. All are attacked, by

    .. math::
        J = \sum_{i \le B} CE_i + \frac{\lambda}{4} \sum_{j \le 4B} CE^{rot}_j
          = B\,(\overline{CE} + \lambda\,\overline{CE^{rot}})

    and the loss is :math:`\overline{CE} + \lambda\,\overline{CE^{rot}}`,
    with :math:`\lambda` the head's ``loss_weight``, 0.5 in the paper's code.

    Args:
        *args: As :class:`AdversarialClassifier`. The head is a
            :class:`GatedMultiTaskHead` with the one task
            ``gssl_mm.GlobalRotation``; the data preprocessor has no pretext
            transform.
        **kwargs: As :class:`AdversarialClassifier`. ``attack_ssl`` switches
            the rotations' part of J on or off; its weight is the one above.

    Shape:
        - inputs: float32 ``(N, C, S, S)`` in [0, 1], square.

    Raises:
        ValueError: If the head is another, or images are not square.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        tasks = getattr(self.head, 'num_task_classes', None)
        if not isinstance(self.head, GatedMultiTaskHead) or list(
                tasks.values()) != [TURNS]:
            raise ValueError(
                f'{type(self).__name__} needs a GatedMultiTaskHead with the '
                "one task dict(type='gssl_mm.GlobalRotation'), but got "
                f'{type(self.head).__name__} with tasks {tasks}')

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict:
        """Attack images and rotations, and return both heads' losses."""
        if inputs.size(2) != inputs.size(3):
            raise ValueError('quarter turns need square images, but got '
                             f'{inputs.size(2)}x{inputs.size(3)}')
        views = self.perturb(
            rotated_views(inputs), self.objective(data_samples, inputs.device),
            views=VIEWS)
        plain, turned = _split(self.extract_feat(views), len(inputs))
        losses = classification_loss(
            self.head, as_weights(self.head, plain), data_samples)
        with float32_region(inputs.device):
            losses.update(self.head.pretext_loss(
                pooled_feature(as_weights(self.head, turned)),
                self._turns(len(inputs), inputs.device)))
        return losses

    def objective(self, data_samples: list[DataSample],
                  device: torch.device) -> Callable[[Tensor], Tensor]:
        """What the attack ascends: 5 N images to 5 N losses."""
        if self.attack is None:
            return super().objective(data_samples, device)
        labels = class_targets(data_samples, device)
        turns = self._turns(len(labels), device)
        weight = self.head.loss_weight / TURNS if self.attack_ssl else 0.

        def losses(images: Tensor) -> Tensor:
            plain, turned = _split(self.extract_feat(images), len(labels))
            logits = check_logits(self.head(plain), len(labels))
            with float32_region(device):
                feat = pooled_feature(as_weights(self.head, turned))
                rotation, _ = self.head.task_heads.losses(feat, turns)
                return torch.cat([self.attack.losses(logits, labels),
                                  weight * rotation[:, 0]])

        return losses

    @staticmethod
    def _turns(num_samples: int, device: torch.device) -> Tensor:
        turns = torch.arange(TURNS, device=device)
        return turns.repeat_interleave(num_samples)[:, None]
