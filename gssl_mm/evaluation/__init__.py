from .class_counts_hook import ClassCountsHook
from .metrics import (
    CalibrationError,
    InferenceModeAccuracy,
    LogitAdjustedAccuracy,
    ShotAccuracy,
)
from .pgd_evaluator import PGDEvaluator

__all__ = [
    'CalibrationError', 'ClassCountsHook', 'InferenceModeAccuracy',
    'LogitAdjustedAccuracy', 'PGDEvaluator', 'ShotAccuracy'
]
