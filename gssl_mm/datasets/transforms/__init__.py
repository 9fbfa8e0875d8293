from .pillow_augment import PillowAugment, pillow_operation
from .pretext_transform import PretextTransform

__all__ = ['PillowAugment', 'PretextTransform', 'pillow_operation']
