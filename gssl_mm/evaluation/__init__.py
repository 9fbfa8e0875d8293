from .class_counts_hook import ClassCountsHook
from .metrics import CalibrationError, ShotAccuracy

__all__ = ['CalibrationError', 'ClassCountsHook', 'ShotAccuracy']
