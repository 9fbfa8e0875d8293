from .calibration_error import CalibrationError
from .shot_accuracy import ShotAccuracy

__all__ = ['CalibrationError', 'ShotAccuracy']
