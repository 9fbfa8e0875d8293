"""Adversarial attacks on pixels in [0, 1]."""
from .auto_attack import AutoAttack
from .base import Attack
from .errors import (
    AttackDependencyError,
    AttackError,
    LogitsShapeError,
    NonFiniteGradientError,
    PerturbationUnitsError,
    PixelSpaceError,
)
from .modes import attack_mode
from .pgd import PGD
from .pixel_model import PixelModel

__all__ = [
    'Attack', 'AttackDependencyError', 'AttackError', 'AutoAttack',
    'LogitsShapeError', 'NonFiniteGradientError', 'PGD',
    'PerturbationUnitsError', 'PixelModel', 'PixelSpaceError', 'attack_mode'
]
