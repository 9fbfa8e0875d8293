"""AutoAttack, by its reference implementation."""
import logging
from collections.abc import Callable
from importlib import import_module

import torch
from torch import Tensor, nn

from gssl_mm.registry import TASK_UTILS

from .base import Attack, check_budget, check_pixels
from .errors import AttackDependencyError, LogitsShapeError
from .modes import attack_mode

REFERENCE_NORMS = dict(linf='Linf', l2='L2')
# Classes that the targeted attacks of the standard version try
MOST_TARGETS = 9
# The targeted loss ratio compares the first four logits
LEAST_CLASSES = 4


def import_reference() -> type:
    """Return the reference implementation's class.

    Raises:
        AttackDependencyError: If it is not installed.
    """
    try:
        return import_module('pyautoattack').AutoAttack
    except ImportError as error:
        raise AttackDependencyError(
            'AutoAttack needs the package pyautoattack. Install it with: pip '
            'install "gssl_mm[robust]" (in a clone: pip install -e '
            '".[robust]")') from error


@TASK_UTILS.register_module()
class AutoAttack(Attack):
    """AutoAttack through ``pyautoattack``, the reference implementation.

    Paper: Reliable evaluation of adversarial robustness with an ensemble of
    diverse parameter-free attacks, section 5: APGD on the cross-entropy,
    targeted APGD on the loss ratio, targeted FAB and Square, of 100 and 5,000
    steps; each attacks what the others left standing.

    Note:
        The standard version tries 9 target classes; with fewer than 10 classes
        all wrong ones are tried. Its random numbers are seeded for every batch,
        so that they depend on the size of the batches.

    Args:
        eps (float): Radius, in pixels of [0, 1]. Defaults to 8/255.
        norm (str): ``'linf'`` or ``'l2'``. Defaults to ``'linf'``.
        version (str): The reference's ``'standard'``, ``'plus'`` or
            ``'rand'``; ``'custom'`` with ``attacks``. Defaults to
            ``'standard'``.
        attacks (list[str], optional): For ``'custom'``: of ``'apgd-ce'``,
            ``'apgd-dlr'``, ``'apgd-t'``, ``'fab'``, ``'fab-t'``,
            ``'square'``. Defaults to None.
        seed (int): Of every batch. Defaults to 0.

    Shape:
        - images: float32 ``(N, C, H, W)`` in [0, 1].
        - returns: the same; unchanged where no attack succeeded.

    Raises:
        AttackDependencyError: If pyautoattack is not installed.
        PerturbationUnitsError: If an L-infinity ``eps`` is above 1.
        LogitsShapeError: If the model has fewer than four classes.

    Example:
        >>> attack = dict(type='gssl_mm.AutoAttack', eps=8 / 255)
    """

    def __init__(self, eps: float = 8 / 255, norm: str = 'linf',
                 version: str = 'standard', attacks: list | None = None,
                 seed: int = 0) -> None:
        if norm not in REFERENCE_NORMS:
            raise ValueError(f'norm must be one of {tuple(REFERENCE_NORMS)}, '
                             f'but got {norm!r}')
        if (version == 'custom') != bool(attacks):
            raise ValueError(
                "attacks are listed for version='custom' and for no other, but "
                f'got version={version!r}, attacks={attacks}')
        check_budget(eps, 0, norm)
        self.reference = import_reference()
        self.eps = eps
        self.norm = norm
        self.version = version
        self.attacks = attacks
        self.seed = seed

    def __call__(self, model: Callable[[Tensor], Tensor], images: Tensor,
                 labels: Tensor, *, noise: Tensor | None = None) -> Tensor:
        """Perturb a batch, see :class:`Attack`."""
        check_pixels(images)
        if not isinstance(model, nn.Module):
            model = _Function(model)
        # The reference seeds torch's global generators
        with (attack_mode(model, False), _quiet(), torch.no_grad(),
              torch.random.fork_rng()):
            runner = self._build(model, images)
            found, _ = runner.run_standard_evaluation(
                images.contiguous(), labels, batch_size=len(images))
        return found.detach()

    def _build(self, model: nn.Module, images: Tensor) -> object:
        classes = model(images[:1]).size(1)
        if classes < LEAST_CLASSES:
            raise LogitsShapeError(
                f'AutoAttack compares {LEAST_CLASSES} logits, but the model '
                f'has {classes} classes. Use PGD with restarts')
        runner = self.reference(
            model, norm=REFERENCE_NORMS[self.norm], eps=self.eps,
            seed=self.seed, version=self.version, device=images.device,
            **dict(attacks=self.attacks) if self.attacks else {})
        for part in (runner.apgd_targeted, runner.fab):
            part.n_target_classes = min(MOST_TARGETS, classes - 1)
        return runner


class _Function(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable) -> None:
        super().__init__()
        self.function = function

    def forward(self, images: Tensor) -> Tensor:
        return self.function(images)


class _quiet:
    """Keep the reference's own messages to warnings."""

    def __enter__(self) -> None:
        self.logger = logging.getLogger('auto-attack')
        self.level = self.logger.level
        self.logger.setLevel(logging.WARNING)

    def __exit__(self, *error: object) -> None:
        self.logger.setLevel(self.level)
