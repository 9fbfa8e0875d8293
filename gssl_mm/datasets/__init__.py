from .array_dataset import ArrayDataset, ArraySource
from .cifar import CIFAR10, CIFAR100
from .label_utils import get_class_counts, get_gt_labels
from .long_tailed import LongTailedDataset
from .samplers import *  # noqa: F403
from .semi_supervised import SemiSupervisedSplit
from .stanford_dogs import StanfordDogs
from .synthetic import SyntheticShapes
from .tiny_imagenet import TinyImageNet
from .transforms import *  # noqa: F403

__all__ = [
    'ArrayDataset', 'ArraySource', 'CIFAR10', 'CIFAR100', 'LongTailedDataset',
    'SemiSupervisedSplit', 'StanfordDogs', 'SyntheticShapes', 'TinyImageNet',
    'get_class_counts', 'get_gt_labels'
]
