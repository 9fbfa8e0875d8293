from .class_balanced import ClassBalancedSampler
from .stream import StreamSampler

__all__ = ['ClassBalancedSampler', 'StreamSampler']
