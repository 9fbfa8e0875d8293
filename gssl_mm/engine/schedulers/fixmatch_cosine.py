"""The part of a cosine that FixMatch decays along."""
import math

from mmengine.optim import CosineAnnealingLR

from gssl_mm.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class FixMatchCosineLR(CosineAnnealingLR):
    r"""Decay along less than a quarter of a cosine's period.

    Paper: FixMatch: Simplifying Semi-Supervised Learning with Consistency and
    Confidence, section 2.4. The update after k others, of K, uses

    .. math::
        \eta(k) = \eta_0 \cos\left(\pi\,\frac{7}{16}\,\frac{k}{K}\right)

    which ends near :math:`0.195\,\eta_0`, without warm-up.

    Args:
        angle (float): The last angle over pi, in (0, 0.5]. Defaults to 7 / 16.
        T_max (int, optional): K. Defaults to None, ``end - begin``.
        **kwargs: As the host's ``CosineAnnealingLR`` without its minimum;
            ``by_epoch=False`` counts iterations, and the Runner sets ``end``
            to the last one.

    Raises:
        ValueError: If ``angle`` is outside its range.

    Example:
        >>> param_scheduler = [
        ...     dict(type='gssl_mm.FixMatchCosineLR', by_epoch=False)]
    """

    def __init__(self, *args, angle: float = 7 / 16, **kwargs) -> None:
        if not 0 < angle <= 0.5:
            raise ValueError(f'angle must be in (0, 0.5], but got {angle}')
        self.angle = angle
        kwargs.setdefault('eta_min', 0.)
        super().__init__(*args, **kwargs)

    def _get_value(self) -> list[float]:
        step = min(self.last_step, self.T_max)
        share = math.cos(math.pi * self.angle * step / self.T_max)
        return [base * share for base in self.base_values]
