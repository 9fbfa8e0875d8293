from .batch_augment import BatchAutoAugment, BatchRandAugment
from .batch_augments import GridMix, MaskMix, SmoothMix
from .data_preprocessor import PretextDataPreprocessor
from .random_crop_flip import RandomCropFlip
from .random_cutout import RandomCutout
from .random_resized_crop import RandomResizedCropFlip
from .semi_supervised_preprocessor import (
    SemiSupervisedBatch,
    SemiSupervisedDataPreprocessor,
)
from .step_random import draw_global, step_generator

__all__ = [
    'BatchAutoAugment', 'BatchRandAugment', 'GridMix', 'MaskMix',
    'PretextDataPreprocessor', 'RandomCropFlip', 'RandomCutout',
    'RandomResizedCropFlip',
    'SemiSupervisedBatch', 'SemiSupervisedDataPreprocessor', 'SmoothMix',
    'draw_global', 'step_generator'
]
