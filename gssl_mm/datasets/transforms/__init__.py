from .pillow_augment import PillowAugment, pillow_operation
from .pretext_transform import PretextTransform
from .rgb_image import RGBImage

__all__ = [
    'PillowAugment', 'PretextTransform', 'RGBImage', 'pillow_operation'
]
