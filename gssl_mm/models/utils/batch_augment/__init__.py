from .base import BatchAugment
from .batch_auto_augment import BatchAutoAugment
from .batch_rand_augment import BatchRandAugment
from .operations import OPERATIONS, apply_operations

__all__ = [
    'BatchAugment', 'BatchAutoAugment', 'BatchRandAugment', 'OPERATIONS',
    'apply_operations'
]
