from gssl_mm.datasets.transforms import NotAnImageError

from .inferencer import ImageInferencer, find_images
from .model import get_model
from .model_hub import list_models, register_models

register_models()

__all__ = [
    'ImageInferencer', 'NotAnImageError', 'find_images', 'get_model',
    'list_models', 'register_models'
]
