"""Augmentations that mix the images of a batch."""
from .grid_mix import GridMix
from .mask_mix import MaskMix
from .smooth_mix import SmoothMix

__all__ = ['GridMix', 'MaskMix', 'SmoothMix']
