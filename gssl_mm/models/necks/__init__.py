from .errors import MapSizeError, MaskSetError, StageIndexError
from .feature_mask_neck import FeatureMaskNeck

__all__ = ['FeatureMaskNeck', 'MapSizeError', 'MaskSetError', 'StageIndexError']
