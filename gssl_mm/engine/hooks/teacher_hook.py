"""The average of a network's past weights, which is what gets validated."""
from mmengine.hooks import EMAHook
from mmengine.model import ExponentialMovingAverage
from torch import nn

from gssl_mm.registry import HOOKS, MODELS


@MODELS.register_module()
class TeacherAverage(ExponentialMovingAverage):
    """Exponential moving average that starts at the initial weights.

    The host's average is a copy of the weights after the first update; this
    one is the initial weights, and every update enters with ``momentum``.
    """

    def start(self, model: nn.Module) -> None:
        """Take the weights that the model starts from."""
        self.module.load_state_dict(model.state_dict())
        # The host copies at step 0
        self.steps.fill_(1)


@HOOKS.register_module()
class TeacherHook(EMAHook):
    r"""Average the weights, and validate, test and save the average.

    Paper: FixMatch: Simplifying Semi-Supervised Learning with Consistency and
    Confidence, section 2.4: :math:`\theta' \leftarrow d\,\theta' + (1 - d)\,
    \theta` after every update, from the initial weights on and without
    correction for bias. Running statistics of batch norm are not averaged.

    A checkpoint's ``state_dict`` is the average, ready to be tested or
    published; ``ema_state_dict`` holds the trained weights and resumes the run
    exactly. A model with a method ``set_teacher`` is given the average.

    Note:
        With accumulated gradients the average moves with the optimizer, not
        with every iteration.

    Args:
        decay (float): d, in (0, 1). Defaults to 0.999.

    Raises:
        ValueError: If ``decay`` is outside (0, 1).

    Example:
        >>> custom_hooks = [dict(type='gssl_mm.TeacherHook', decay=0.999)]
    """

    # Before whatever writes a checkpoint, and before the next step is seeded
    priority = 'HIGHEST'

    def __init__(self, decay: float = 0.999) -> None:
        if not 0 < decay < 1:
            raise ValueError(f'decay must be in (0, 1), but got {decay}')
        super().__init__(
            ema_type='gssl_mm.TeacherAverage', strict_load=True,
            momentum=1 - decay)
        self.decay = decay

    def before_train(self, runner) -> None:
        """Start from the model's weights, unless the run is resumed."""
        if runner.iter == 0:
            self.ema_model.start(self.src_model)
        if hasattr(self.src_model, 'set_teacher'):
            self.src_model.set_teacher(self.ema_model.module)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Take the average from a checkpoint, or from a file of weights."""
        if 'state_dict' not in checkpoint:
            checkpoint = dict(state_dict=checkpoint)
        super().after_load_checkpoint(runner, checkpoint)

    def after_train_iter(self, runner, batch_idx: int, data_batch=None,
                         outputs=None) -> None:
        """Average after an update."""
        if runner.optim_wrapper.should_update():
            self.ema_model.update_parameters(self.src_model)
