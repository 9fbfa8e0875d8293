"""Learning rates that follow a cosine."""
import math

from mmengine.optim import CosineAnnealingLR

from gssl_mm.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class StepAheadCosineLR(CosineAnnealingLR):
    r"""Cosine decay that is advanced before each optimizer step.

    Paper: Mixture of Self-Supervised Learning, section 4.3 (released code). The
    s-th update, counted from 1 to S, uses

    .. math::
        \eta(s) = \eta_0 \left[r + (1 - r) \tfrac{1}{2}
        (1 + \cos(\pi s / S))\right]

    so that the last one uses :math:`r \eta_0`, and none uses :math:`\eta_0`.

    Note:
        The host's ``CosineAnnealingLR`` gives the s-th update
        :math:`\eta(s - 1)`, by a recursion; this is the closed form.

    Args:
        eta_min_ratio (float): r. Defaults to 1e-5.
        T_max (int, optional): S. Defaults to None, ``end - begin``.
        **kwargs: As ``CosineAnnealingLR``; ``by_epoch=False`` counts
            iterations, and the Runner sets ``end`` to the last one.

    Example:
        >>> param_scheduler = [
        ...     dict(type='gssl_mm.StepAheadCosineLR', by_epoch=False)]
    """

    def __init__(self, *args, eta_min_ratio: float = 1e-5, **kwargs) -> None:
        super().__init__(*args, eta_min_ratio=eta_min_ratio, **kwargs)

    def _get_value(self) -> list[float]:
        step = min(self.last_step + 1, self.T_max)
        share = (1 + math.cos(math.pi * step / self.T_max)) / 2
        ratio = self.eta_min_ratio
        return [base * (ratio + (1 - ratio) * share)
                for base in self.base_values]
