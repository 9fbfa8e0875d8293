"""Pretext tasks: one small file a task."""
from .base import PretextTask
from .local_channel_permutation import LocalChannelPermutation
from .local_flip import LocalFlip
from .local_rotation import GlobalRotation, LocalRotation, LocalRotationImplicit
from .pretext_transform import (
    PretextDraw,
    PretextTransform,
    build_pretext_transform,
    build_tasks,
)

__all__ = [
    'PretextTask', 'LocalRotation', 'LocalRotationImplicit', 'LocalFlip',
    'LocalChannelPermutation', 'GlobalRotation', 'PretextTransform',
    'PretextDraw', 'build_pretext_transform', 'build_tasks'
]
