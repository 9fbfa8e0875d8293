"""An optimizer beside a compiled training step."""
import torch
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapperDict

from gssl_mm.registry import HOOKS


def keep_optimizer_eager(optim_wrapper) -> None:
    """Wrap ``step`` and ``zero_grad``, so that no compiler traces them.

    Args:
        optim_wrapper (OptimWrapper | OptimWrapperDict): Changed in place.
    """
    several = isinstance(optim_wrapper, OptimWrapperDict)
    for one in optim_wrapper.values() if several else [optim_wrapper]:
        one.step = torch.compiler.disable(one.step)
        one.zero_grad = torch.compiler.disable(one.zero_grad)


@HOOKS.register_module()
class EagerOptimizerHook(Hook):
    """Keep the optimizer out of what ``torch.compile`` traces.

    With ``compile=True`` the host compiles the whole training step, the update
    of the weights with it. torch 2.14 fails to trace that update now and then
    (``SpeculationLogDivergence``), and always where a ``paramwise_cfg`` turns
    the parameter groups into ``ConfigDict``. The update runs eagerly instead;
    the forward and the backward pass stay compiled. Without ``compile``, the
    hook does nothing.

    Example:
        >>> default_hooks = dict(
        ...     eager_optimizer=dict(type='gssl_mm.EagerOptimizerHook'))
    """

    def before_train(self, runner) -> None:
        """Before the first step is traced."""
        # As the host reads it: an empty dict compiles with the defaults
        if runner.cfg.get('compile', False) not in (None, False):
            keep_optimizer_eager(runner.optim_wrapper)
