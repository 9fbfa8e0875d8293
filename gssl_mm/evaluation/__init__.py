from .class_counts_hook import ClassCountsHook
from .metrics import CalibrationError, InferenceModeAccuracy, ShotAccuracy

__all__ = [
    'CalibrationError', 'ClassCountsHook', 'InferenceModeAccuracy',
    'ShotAccuracy'
]
