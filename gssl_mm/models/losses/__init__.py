from .class_weighted_loss import (
                                  ClassBalancedCrossEntropyLoss,
                                  ClassWeightedLoss,
                                  SoftmaxFocalLoss,
                                  effective_number_weights,
)
from .ldam_loss import LDAMLoss, ldam_margins

__all__ = [
    'ClassWeightedLoss', 'ClassBalancedCrossEntropyLoss', 'SoftmaxFocalLoss',
    'LDAMLoss', 'ldam_margins', 'effective_number_weights'
]
