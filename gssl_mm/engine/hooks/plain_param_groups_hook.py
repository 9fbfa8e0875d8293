"""An optimizer that ``torch.compile`` can trace."""
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapperDict

from gssl_mm.registry import HOOKS


@HOOKS.register_module()
class PlainParamGroupsHook(Hook):
    """Turn the optimizer's parameter groups into plain dicts.

    With a ``paramwise_cfg`` the host hands the groups over within a config, so
    that each becomes a ``ConfigDict``; torch 2.14 can't compile a step that
    reads such groups. Their values stay what they are.

    Example:
        >>> default_hooks = dict(
        ...     param_groups=dict(type='gssl_mm.PlainParamGroupsHook'))
    """

    def before_train(self, runner) -> None:
        """Replace the groups, before the first step is compiled."""
        wrapper = runner.optim_wrapper
        several = isinstance(wrapper, OptimWrapperDict)
        for one in wrapper.values() if several else [wrapper]:
            groups = one.optimizer.param_groups
            groups[:] = [dict(group) for group in groups]
