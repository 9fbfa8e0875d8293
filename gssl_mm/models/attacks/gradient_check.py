"""Stop at gradients that are not finite, without waiting for a GPU."""
import torch
from torch import Tensor

from .errors import NonFiniteGradientError


class GradientCheck:
    """Raise for a flag on the device, at once or as soon as it is known.

    On the CPU, or with ``wait``, a bad flag raises at once. On an accelerator
    its copy to the host runs beside the work that follows; it is looked at by
    a later call, when it has arrived, so that a training step never waits.
    """

    def __init__(self) -> None:
        self._arriving: list[tuple] = []

    def __call__(self, finite: Tensor, wait: bool = True) -> None:
        """Take a flag.

        Args:
            finite (Tensor): bool scalar.
            wait (bool): Whether to raise in this call. Defaults to True.

        Raises:
            NonFiniteGradientError: This flag, or one that has arrived since,
                is False.
        """
        if wait or finite.device.type != 'cuda':
            return self._refuse(bool(finite))
        copy = torch.empty((), dtype=torch.bool, pin_memory=True)
        copy.copy_(finite, non_blocking=True)
        arrived = torch.cuda.Event()
        arrived.record()
        self._arriving.append((copy, arrived))
        while self._arriving and self._arriving[0][1].query():
            self._refuse(bool(self._arriving.pop(0)[0]))

    @staticmethod
    def _refuse(finite: bool) -> None:
        if not finite:
            raise NonFiniteGradientError(
                'the gradient of an attack has NaN or infinite values. Look '
                'for weights that diverged (a lower learning rate), float16 '
                'overflow (use bfloat16 or float32), or an operation without '
                'a finite gradient')

    def __reduce__(self) -> tuple:
        # Events can't be copied; a copy of a model has no flags under way
        return GradientCheck, ()
