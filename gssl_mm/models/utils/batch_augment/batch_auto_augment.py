"""AutoAugment's learned policy for CIFAR, for a whole batch."""
from collections.abc import Sequence

import torch
from torch import Tensor

from gssl_mm.registry import TASK_UTILS

from .base import BatchAugment
from .magnitudes import LEVELS, from_levels
from .operations import OPERATIONS

Step = tuple[str, float, int]
GREY = 127.5
# Sub-policies 0 to 24: (operation, probability, level), one after the other
CIFAR_POLICY: tuple[tuple[Step, Step], ...] = (
    (('Invert', 0.1, 7), ('Contrast', 0.2, 6)),
    (('Rotate', 0.7, 2), ('TranslateX', 0.3, 9)),
    (('Sharpness', 0.8, 1), ('Sharpness', 0.9, 3)),
    (('ShearY', 0.5, 8), ('TranslateY', 0.7, 9)),
    (('AutoContrast', 0.5, 8), ('Equalize', 0.9, 2)),
    (('ShearY', 0.2, 7), ('Posterize', 0.3, 7)),
    (('Color', 0.4, 3), ('Brightness', 0.6, 7)),
    (('Sharpness', 0.3, 9), ('Brightness', 0.7, 9)),
    (('Equalize', 0.6, 5), ('Equalize', 0.5, 1)),
    (('Contrast', 0.6, 7), ('Sharpness', 0.6, 5)),
    (('Color', 0.7, 7), ('TranslateX', 0.5, 8)),
    (('Equalize', 0.3, 7), ('AutoContrast', 0.4, 8)),
    (('TranslateY', 0.4, 3), ('Sharpness', 0.2, 6)),
    (('Brightness', 0.9, 6), ('Color', 0.2, 8)),
    (('Solarize', 0.5, 2), ('Invert', 0.0, 3)),
    (('Equalize', 0.2, 0), ('AutoContrast', 0.6, 0)),
    (('Equalize', 0.2, 8), ('Equalize', 0.6, 4)),
    (('Color', 0.9, 9), ('Equalize', 0.6, 6)),
    (('AutoContrast', 0.8, 4), ('Solarize', 0.2, 8)),
    (('Brightness', 0.1, 3), ('Color', 0.7, 0)),
    (('Solarize', 0.4, 5), ('AutoContrast', 0.9, 3)),
    (('TranslateY', 0.9, 9), ('TranslateY', 0.7, 9)),
    (('AutoContrast', 0.9, 2), ('Solarize', 0.8, 3)),
    (('Equalize', 0.8, 8), ('Invert', 0.1, 3)),
    (('TranslateY', 0.7, 9), ('AutoContrast', 0.9, 1)),
)
POLICIES = {'cifar': CIFAR_POLICY}


@TASK_UTILS.register_module()
class BatchAutoAugment(BatchAugment):
    """Run one of 25 learned pairs of operations on every image of a batch.

    Paper: AutoAugment: Learning Augmentation Strategies from Data, table 7
    (the policy found on reduced CIFAR-10). An image draws a sub-policy, and for
    each of its two operations whether it runs, by the probability of the
    policy; signs of shear, translation and rotation are drawn.

    Every operation equals Pillow's to the last bit. Crop and mirror come before
    it, :class:`RandomCutout` after it, as in the paper.

    Note:
        Levels mean what they mean in the authors' code, which is the ``'fm'``
        table of :class:`BatchRandAugment`: posterize keeps 4 - floor(0.4 l)
        bits (the paper's table says 4 to 8), translations are whole pixels.

    Args:
        policy (str | Sequence): ``'cifar'``, or sub-policies of equal length,
            each a sequence of (operation, probability, level 0 to 9). Defaults
            to ``'cifar'``.
        fill (float | Sequence[float]): Colour that affine operations bring in,
            0 to 255. Defaults to 127.5, rounded to 128.

    Shape:
        - images: ``(N, 3, H, W)`` R, G, B, uint8 or float in [0, 255] (rounded
          before the operations).
        - returns: like the input.

    Raises:
        ValueError: If the policy is unknown or not of that form, ``fill`` is
            out of range, or the images do not have three channels.

    Example:
        >>> data_preprocessor = dict(
        ...     type='gssl_mm.PretextDataPreprocessor',
        ...     mean=[125.3, 123.0, 113.9], std=[51.6, 50.8, 51.3],
        ...     augment=[dict(type='gssl_mm.RandomCropFlip', padding=4),
        ...              dict(type='gssl_mm.BatchAutoAugment'),
        ...              dict(type='gssl_mm.RandomCutout', size=16,
        ...                   fill=[125.3, 123.0, 113.9])])
    """

    def __init__(self, policy: str | Sequence = 'cifar',
                 fill: float | Sequence[float] = GREY) -> None:
        super().__init__(fill)
        if isinstance(policy, str):
            if policy not in POLICIES:
                raise ValueError(f'policy must be one of {list(POLICIES)} or a '
                                 f'list of sub-policies, but got {policy!r}')
            policy = POLICIES[policy]
        _check_policy(policy)
        names, probs, levels = (
            [[step[part] for step in sub] for sub in policy]
            for part in range(3))
        self._operations = torch.tensor(
            [[OPERATIONS.index(name) for name in row] for row in names])
        self._probs = torch.tensor(probs)
        self._levels = torch.tensor(levels)

    def sample(self, n: int, size: tuple[int, int],
               generator: torch.Generator | None) -> list[Tensor]:
        """Draw operations and magnitudes, ``(n, K)`` each."""
        chosen = torch.randint(
            len(self._operations), (n, ), generator=generator)
        shape = (n, self._operations.size(1))
        applied = torch.rand(shape, generator=generator) < self._probs[chosen]
        negative = torch.rand(shape, generator=generator) < 0.5
        operations = self._operations[chosen]
        magnitudes = from_levels(
            'fm', operations, self._levels[chosen], negative, size)
        # Position 0 is Identity
        return [operations * applied, magnitudes]


def _check_policy(policy: Sequence) -> None:
    """Raise a ValueError for a policy that cannot be run."""
    if not policy or len({len(sub) for sub in policy}) != 1 or not policy[0]:
        raise ValueError('a policy needs at least one sub-policy, and all of '
                         'the same number of operations')
    for name, prob, level in (step for sub in policy for step in sub):
        if name not in OPERATIONS:
            raise ValueError(
                f'operations are {list(OPERATIONS)}, but got {name!r}')
        if not 0 <= prob <= 1 or level not in range(LEVELS):
            raise ValueError(
                f'{name} needs a probability in [0, 1] and a level in '
                f'0..{LEVELS - 1}, but got {prob} and {level}')
