from .pretext_transform import PretextTransform

__all__ = ['PretextTransform']
