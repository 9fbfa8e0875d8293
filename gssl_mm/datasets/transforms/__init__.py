from .pillow_augment import PillowAugment, pillow_operation
from .pretext_transform import PretextTransform
from .rgb_image import NotAnImageError, RGBImage

__all__ = [
    'NotAnImageError', 'PillowAugment', 'PretextTransform', 'RGBImage',
    'pillow_operation'
]
