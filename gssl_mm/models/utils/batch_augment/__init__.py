from .base import BatchAugment
from .batch_rand_augment import BatchRandAugment
from .operations import OPERATIONS, apply_operations

__all__ = ['BatchAugment', 'BatchRandAugment', 'OPERATIONS', 'apply_operations']
