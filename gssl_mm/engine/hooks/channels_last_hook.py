"""Weights in the memory order of the images, for one process."""
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from gssl_mm.registry import HOOKS

from ..channels_last import ChannelsLastDDP, convert_to_channels_last


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Convert a model's weights to channels-last before it runs.

    Note:
        A wrapped model is left as it is, because its gradient buckets already
        have the order of its weights: on several processes use
        ``model_wrapper_cfg = dict(type='ChannelsLastDDP')``.

    Example:
        >>> custom_hooks = [dict(type='gssl_mm.ChannelsLastHook')]
    """

    # Before hooks that copy the model, such as EMAHook.
    priority = 'VERY_HIGH'

    def before_run(self, runner) -> None:
        """Convert, unless a wrapper stands in between."""
        if not is_model_wrapper(runner.model):
            convert_to_channels_last(runner.model)
        elif not isinstance(runner.model, ChannelsLastDDP):
            runner.logger.info(
                'ChannelsLastHook leaves the weights of a '
                f'{type(runner.model).__name__} as they are; name '
                'ChannelsLastDDP in model_wrapper_cfg to convert them.')
