from .calibration_error import CalibrationError
from .inference_mode_accuracy import InferenceModeAccuracy
from .shot_accuracy import ShotAccuracy

__all__ = ['CalibrationError', 'InferenceModeAccuracy', 'ShotAccuracy']
