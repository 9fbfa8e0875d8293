from .calibration_error import CalibrationError
from .inference_mode_accuracy import InferenceModeAccuracy
from .logit_adjusted_accuracy import LogitAdjustedAccuracy
from .shot_accuracy import ShotAccuracy

__all__ = [
    'CalibrationError', 'InferenceModeAccuracy', 'LogitAdjustedAccuracy',
    'ShotAccuracy'
]
