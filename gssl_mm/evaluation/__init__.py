from .class_counts_hook import ClassCountsHook
from .metrics import CalibrationError, InferenceModeAccuracy, ShotAccuracy
from .pgd_evaluator import PGDEvaluator

__all__ = [
    'CalibrationError', 'ClassCountsHook', 'InferenceModeAccuracy',
    'PGDEvaluator', 'ShotAccuracy'
]
