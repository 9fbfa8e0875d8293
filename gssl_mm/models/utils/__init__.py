from .batch_augment import BatchAutoAugment, BatchRandAugment
from .data_preprocessor import PretextDataPreprocessor
from .random_crop_flip import RandomCropFlip
from .random_cutout import RandomCutout
from .semi_supervised_preprocessor import (
    SemiSupervisedBatch,
    SemiSupervisedDataPreprocessor,
)
from .step_random import draw_global, step_generator

__all__ = [
    'BatchAutoAugment', 'BatchRandAugment', 'PretextDataPreprocessor',
    'RandomCropFlip', 'RandomCutout', 'SemiSupervisedBatch',
    'SemiSupervisedDataPreprocessor', 'draw_global', 'step_generator'
]
