from .data_preprocessor import PretextDataPreprocessor
from .random_crop_flip import RandomCropFlip
from .step_random import draw_global, step_generator

__all__ = [
    'PretextDataPreprocessor', 'RandomCropFlip', 'draw_global', 'step_generator'
]
