from .cosine_cls_head import CosineClsHead, CosineLinear
from .gated_multi_task_head import GatedMultiTaskHead
from .task_heads import TaskHeads

__all__ = ['CosineClsHead', 'CosineLinear', 'GatedMultiTaskHead', 'TaskHeads']
