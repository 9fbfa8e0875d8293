"""Fixed equal weights."""
from gssl_mm.registry import MODELS

from .fixed_gate import FixedGate


@MODELS.register_module()
class UniformGate(FixedGate):
    r"""Weight all pretext losses equally, without parameters.

    The pretext loss is :math:`\frac{c}{T} \sum_n L_n` with ``c = total``.

    Cost: T multiplications.

    Note:
        D4: ``total=None`` stands for T, the plain sum of the papers' non-gated
        rows, which is T times a gated mixture; ``total=1`` is the mean, on the
        scale of the gated rows.

    Args:
        in_channels (int): Channels of the pooled feature (not used).
        num_tasks (int): Number of pretext tasks T.
        total (float, optional): Sum of the weights, positive. Defaults to
            None, the number of tasks.

    Raises:
        ValueError: If ``total`` is not positive.
    """

    def __init__(self, in_channels: int, num_tasks: int,
                 total: float | None = None,
                 init_cfg: dict | None = None) -> None:
        total = num_tasks if total is None else total
        if total <= 0:
            raise ValueError(f'total must be positive, but got {total}')
        super().__init__(in_channels, num_tasks,
                         [total / num_tasks] * num_tasks, init_cfg)
