"""Named errors of the attacks: what was got, what is allowed, what to do."""


class AttackError(Exception):
    """Base of the errors of attacks, adversarial models and their tests."""


class PerturbationUnitsError(AttackError, ValueError):
    """A radius or step that is not in units of pixels in [0, 1]."""


class PixelSpaceError(AttackError, ValueError):
    """A model whose input can't be related to pixels in [0, 1]."""


class LogitsShapeError(AttackError, TypeError):
    """A model that returns something other than (N, num_classes) logits."""


class NonFiniteGradientError(AttackError, ArithmeticError):
    """The gradient of an attack became NaN or infinite."""


class AttackDependencyError(AttackError, ImportError):
    """A package that an attack needs is not installed."""


__all__ = [
    'AttackError', 'PerturbationUnitsError', 'PixelSpaceError',
    'LogitsShapeError', 'NonFiniteGradientError', 'AttackDependencyError'
]
