"""Mixed precision in bfloat16, on CPU and CUDA."""
import logging
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from mmengine.runner import autocast
from torch import nn

from gssl_mm.registry import OPTIM_WRAPPERS

from ..errors import PrecisionError

_BFLOAT16 = ('bfloat16', torch.bfloat16, None)


@OPTIM_WRAPPERS.register_module()
class AmpOptimWrapper(OptimWrapper):
    """Optimizer wrapper that runs the forward pass in bfloat16 autocast.

    bfloat16 has float32's range of exponents, so that no loss scaling is
    needed, and it works on the CPU, which the host's wrapper refuses. Weights,
    gradients and the optimizer stay in float32; heads and losses of this
    package leave the autocast region themselves. A CPU without instructions
    for bfloat16 is warned of: it is slower there than float32.

    Args:
        loss_scale (Any): Accepted so that the host's configs and tools work,
            and ignored: bfloat16 needs none. Defaults to None.
        dtype (str | torch.dtype, optional): 'bfloat16', which is also what
            None means. Defaults to None.
        **kwargs: As :class:`mmengine.optim.OptimWrapper`: ``optimizer``,
            ``accumulative_counts``, ``clip_grad``.

    Raises:
        PrecisionError: Another dtype is asked for, or the GPU has no bfloat16.

    Example:
        >>> optim_wrapper = dict(
        ...     type='gssl_mm.AmpOptimWrapper',
        ...     optimizer=dict(type='SGD', lr=0.1, momentum=0.9))
    """

    def __init__(self,
                 loss_scale: Any = None,
                 dtype: str | torch.dtype | None = None,
                 **kwargs) -> None:
        if dtype not in _BFLOAT16:
            raise PrecisionError(_refusal(dtype))
        if get_device() == 'cuda' and not torch.cuda.is_bf16_supported():
            raise PrecisionError(
                f'{torch.cuda.get_device_name()} has no bfloat16. Train in '
                'float32 (without --amp), or in float16 with the host\'s '
                'optim_wrapper type "AmpOptimWrapper".')
        if get_device() == 'cpu' and not cpu_has_fast_bfloat16():
            print_log(
                'This CPU multiplies bfloat16 in software: training takes many '
                'times as long as in float32. Leave out --amp, unless it is '
                'the numbers that matter.', 'current', logging.WARNING)
        super().__init__(**kwargs)
        self.cast_dtype = torch.bfloat16

    @contextmanager
    def optim_context(self, model: nn.Module):
        """Enter autocast, and skip gradient syncs while accumulating.

        Args:
            model (nn.Module): The model that is trained.
        """
        with super().optim_context(model), autocast(dtype=self.cast_dtype):
            yield

    def load_state_dict(self, state_dict: dict) -> None:
        """Load the optimizer; the scaler of a float16 run is dropped."""
        state = {k: v for k, v in state_dict.items() if k != 'loss_scaler'}
        super().load_state_dict(state)


def cpu_has_fast_bfloat16() -> bool:
    """Whether convolutions in bfloat16 run on vector instructions here.

    On x86 they need AVX512.
    """
    # No public name tells; unknown counts as fast
    ask = getattr(torch.ops.mkldnn, '_is_mkldnn_bf16_supported', None)
    return ask is None or ask()


def _refusal(dtype) -> str:
    got = f'gssl_mm.AmpOptimWrapper runs in bfloat16 alone, got {dtype}. '
    if get_device() == 'cpu':
        return got + ('A CPU has no float16 autocast for training: leave '
                      'dtype out, or train in float32 without --amp.')
    return got + ('float16 needs loss scaling: use the host\'s optim_wrapper '
                  'type "AmpOptimWrapper" without the prefix.')
