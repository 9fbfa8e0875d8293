"""Adversarial training that trades accuracy for stability."""
from collections.abc import Callable

import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample
from torch import Tensor

from gssl_mm.registry import MODELS

from ..attacks.functional import check_logits
from ..utils.precision import float32_region
from .adversarial import AdversarialClassifier


def kl_divergence(clean: Tensor, other: Tensor) -> Tensor:
    """KL(softmax(clean) || softmax(other)) of each row, ``(N,)``."""
    return F.kl_div(
        other.log_softmax(1), clean.log_softmax(1), reduction='none',
        log_target=True).sum(1)


@MODELS.register_module()
class TRADESClassifier(AdversarialClassifier):
    r"""Trade accuracy on clean images off against stable predictions.

    Paper: Theoretically Principled Trade-off between Robustness and Accuracy,
    equation 5 and algorithm 1: :math:`L(x) + \beta\,KL(p(x) \| p(x'))` with
    :math:`x'` the point of the ball where the divergence is highest, found
    from :math:`x + 0.001\,N(0, 1)`.

    The head's loss, pretext terms included, is that of the clean batch.

    Args:
        *args: As :class:`AdversarialClassifier`.
        beta (float): Weight of the divergence, at least 0. Defaults to 6.
        attack_bn (str): As :class:`AdversarialClassifier`. Defaults to
            ``'eval'``, as in the TRADES code.
        **kwargs: As :class:`AdversarialClassifier`. ``attack_ssl`` and the
            attack's ``loss`` have no effect.

    Raises:
        ValueError: If ``beta`` is negative or there is no attack.
    """

    start_std = 1e-3

    def __init__(self, *args, beta: float = 6., attack_bn: str = 'eval',
                 **kwargs) -> None:
        super().__init__(*args, attack_bn=attack_bn, **kwargs)
        if beta < 0 or self.attack is None:
            raise ValueError('TRADES needs beta of at least 0 and an attack, '
                             f'but got beta={beta}, attack={self.attack}')
        self.beta = beta

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict:
        """Return the head's losses on clean images and the divergence."""
        attacked = self.perturb(inputs, self._divergence(inputs))
        feats = self.extract_feat(inputs)
        losses = self.head.loss(feats, data_samples)
        clean = check_logits(self.head(feats), len(inputs))
        other = check_logits(self.head(self.extract_feat(attacked)),
                             len(inputs))
        with float32_region(inputs.device):
            divergence = kl_divergence(clean, other).mean()
        losses['loss_trades'] = self.beta * divergence
        losses['kl_trades'] = divergence.detach()
        return losses

    def _divergence(self, inputs: Tensor) -> Callable[[Tensor], Tensor]:
        clean: list[Tensor] = []

        def logits(images: Tensor) -> Tensor:
            return check_logits(self.head(self.extract_feat(images)),
                                len(images))

        def losses(images: Tensor) -> Tensor:
            if not clean:
                with torch.no_grad():
                    clean.append(logits(inputs))
            return kl_divergence(clean[0], logits(images))

        return losses

    def _draw(self, n: int, shape: tuple,
              generator: torch.Generator) -> Tensor:
        return self.start_std * torch.randn((n, *shape), generator=generator)
