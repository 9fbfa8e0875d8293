from .cosine_cls_head import CosineClsHead, CosineLinear
from .feature_gradients import (
    cosine_gradients,
    primary_gradients,
    task_gradients,
)
from .gated_multi_task_head import GatedMultiTaskHead
from .joint_errors import JointWidthError, ViewCountError
from .joint_export import to_plain_head, to_plain_state_dict
from .joint_label_head import JointLabelHead
from .primary_head import classification_loss, primary_head
from .task_heads import TaskHeads

__all__ = [
    'CosineClsHead', 'CosineLinear', 'GatedMultiTaskHead', 'JointLabelHead',
    'JointWidthError', 'TaskHeads', 'ViewCountError', 'classification_loss',
    'cosine_gradients', 'primary_gradients', 'primary_head', 'task_gradients',
    'to_plain_head', 'to_plain_state_dict'
]
