"""A checkpoint of another architecture is an error, not a warning."""
import re
from collections.abc import Sequence

from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import BaseLoop
from torch import nn

from gssl_mm.registry import HOOKS

from ..errors import ArchitectureMismatchError, CheckpointError
from ..find_checkpoint import require_resumable

_SHOWN = 4


def _plain_model(model: nn.Module) -> nn.Module:
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    return model


def _shapes(state: dict) -> dict[str, tuple]:
    return {
        re.sub(r'^module\.', '', key): tuple(value.shape)
        for key, value in state.items()
        if hasattr(value, 'shape') and 'num_batches_tracked' not in key
    }


def _list(kind: str, entries: Sequence[str]) -> str:
    more = len(entries) - _SHOWN
    text = ', '.join(entries[:_SHOWN]) + (f' and {more} more' * (more > 0))
    return f'{kind} {text}' if entries else ''


@HOOKS.register_module()
class CheckpointCheckHook(Hook):
    """Compare a checkpoint with the model before it is loaded.

    The host loads what fits and warns about the rest, so that a checkpoint of
    another architecture tests or resumes to nonsense. Here:

    - resuming needs the same names and shapes on both sides, and a checkpoint
      that holds the state of the optimizer and of the logs;
    - testing and validation need every weight of the model; the checkpoint may
      hold pretext heads and the gate beside it, nothing else;
    - ``load_from`` for training takes what fits, as the host does, and needs
      one fitting weight at least.

    Args:
        extra_keys (Sequence[str]): Regular expressions of names that a tested
            checkpoint may hold beyond the model's. Defaults to what exists
            in training only: pretext heads, gate, the student of joint labels.
        own_keys (Sequence[str]): Regular expressions of names that the model
            may hold beyond the checkpoint's. Defaults to none.

    Raises:
        ArchitectureMismatchError: Names or shapes differ; the first ones are
            listed.
        CheckpointError: The file lacks what resuming needs.

    Example:
        >>> custom_hooks = [dict(type='gssl_mm.CheckpointCheckHook')]
    """

    priority = 'HIGHEST'

    def __init__(self,
                 extra_keys: Sequence[str] = (r'head\.task_heads\.',
                                              r'head\.gate\.',
                                              r'head\.(primary\.)?student\.'),
                 own_keys: Sequence[str] = ()) -> None:
        self.extra_keys = [re.compile(key) for key in extra_keys]
        self.own_keys = [re.compile(key) for key in own_keys]

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Refuse what does not belong to the model."""
        name = runner._load_from or 'the checkpoint'
        if not isinstance(checkpoint, dict):
            raise CheckpointError(
                f'{name} holds a {type(checkpoint).__name__}; expected a dict '
                'of weights or one with the key "state_dict".')
        training = isinstance(runner._train_loop, BaseLoop)
        resuming = training and runner._resume
        if resuming:
            require_resumable(checkpoint, name)
        model = _shapes(_plain_model(runner.model).state_dict())
        saved = _shapes(checkpoint.get('state_dict', checkpoint))
        if training and not resuming:
            self._require_overlap(model, saved, name)
        else:
            self._compare(model, saved, name, not resuming)

    def _compare(self, model, saved, name, allow_extra: bool) -> None:
        missing = [
            key for key in model if key not in saved
            and not any(pattern.match(key) for pattern in self.own_keys)]
        extra = [
            key for key in saved if key not in model and not (
                allow_extra and any(p.match(key) for p in self.extra_keys))]
        unlike = [
            f'{key} {saved[key]} (model: {model[key]})' for key in model
            if key in saved and saved[key] != model[key]]
        parts = [
            _list('it lacks', missing),
            _list('it has the unknown', extra),
            _list('it has the shapes', unlike)]
        if any(parts):
            raise ArchitectureMismatchError(
                f'{name} belongs to another architecture: '
                f'{"; ".join(part for part in parts if part)}. Allowed is a '
                'checkpoint of the model in the config. Use the config that '
                'it was trained with; to start a training from the weights '
                'that fit, set load_from without --resume.')

    def check_tested(self, model: nn.Module, checkpoint: dict,
                     name: str) -> None:
        """Refuse a checkpoint that does not have every weight of a model.

        For those who load weights without a Runner.

        Args:
            model (nn.Module): What is to be tested; wrappers are taken off.
            checkpoint (dict): Weights, or a dict with ``state_dict``.
            name (str): What the error calls the checkpoint.

        Raises:
            ArchitectureMismatchError: Names or shapes differ.
            CheckpointError: It is not a dict.
        """
        if not isinstance(checkpoint, dict):
            raise CheckpointError(
                f'{name} holds a {type(checkpoint).__name__}; expected a dict '
                'of weights or one with the key "state_dict".')
        self._compare(
            _shapes(_plain_model(model).state_dict()),
            _shapes(checkpoint.get('state_dict', checkpoint)), name, True)

    @staticmethod
    def _require_overlap(model, saved, name) -> None:
        if not any(saved.get(key) == shape for key, shape in model.items()):
            raise ArchitectureMismatchError(
                f'No weight of {name} fits the model: '
                f'{_list("it holds", list(saved)) or "it holds none"}; '
                f'{_list("the model has", list(model))}. Name a checkpoint '
                'that shares its backbone at least.')
