from .class_weighted_loss import (
                                  ClassBalancedCrossEntropyLoss,
                                  ClassWeightedLoss,
                                  SoftmaxFocalLoss,
                                  effective_number_weights,
)
from .ldam_loss import LDAMLoss, ldam_margins
from .logit_gradients import NoClosedFormError, logit_gradients

__all__ = [
    'ClassWeightedLoss', 'ClassBalancedCrossEntropyLoss', 'SoftmaxFocalLoss',
    'LDAMLoss', 'NoClosedFormError', 'ldam_margins',
    'effective_number_weights', 'logit_gradients'
]
