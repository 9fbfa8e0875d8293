from .class_weighted_loss import (
                                  ClassBalancedCrossEntropyLoss,
                                  ClassWeightedLoss,
                                  SoftmaxFocalLoss,
                                  effective_number_weights,
)
from .ldam_loss import LDAMLoss, ldam_margins
from .logit_adjusted_loss import (
    BalancedSoftmaxLoss,
    LogitAdjustedLoss,
    log_priors,
)
from .logit_gradients import NoClosedFormError, logit_gradients

__all__ = [
    'BalancedSoftmaxLoss', 'ClassBalancedCrossEntropyLoss',
    'ClassWeightedLoss', 'LDAMLoss', 'LogitAdjustedLoss', 'NoClosedFormError',
    'SoftmaxFocalLoss', 'effective_number_weights', 'ldam_margins',
    'log_priors', 'logit_gradients'
]
