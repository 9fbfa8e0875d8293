"""Memory that a step on the CPU frees serves the next step."""
from mmengine.hooks import Hook

from gssl_mm.registry import HOOKS

from ..heap import keep_freed_memory


@HOOKS.register_module()
class HeapHook(Hook):
    """Keep freed memory from the start of a run on a CPU.

    It acts when the data has been read, so that what reading needed is given
    back to the system. See :func:`gssl_mm.engine.heap.keep_freed_memory`.

    Example:
        >>> default_hooks = dict(heap=dict(type='gssl_mm.HeapHook'))
    """

    def before_run(self, runner) -> None:
        """Set up malloc, unless the model is on an accelerator."""
        if all(p.device.type == 'cpu' for p in runner.model.parameters()):
            keep_freed_memory()
