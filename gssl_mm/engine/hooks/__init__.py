from .channels_last_hook import ChannelsLastHook
from .checkpoint_check_hook import CheckpointCheckHook
from .checkpoint_hook import CheckpointHook
from .data_check_hook import DataCheckHook
from .eager_optimizer_hook import EagerOptimizerHook, keep_optimizer_eager
from .fixmatch_hook import FixMatchHook
from .gate_curves_hook import GateCurvesHook
from .heap_hook import HeapHook
from .ldam_hook import LDAMHook
from .results_hook import ResultsHook
from .runtime_info_hook import RuntimeInfoHook
from .step_seed_hook import StepSeedHook
from .teacher_hook import TeacherHook

__all__ = [
    'ChannelsLastHook', 'CheckpointCheckHook', 'CheckpointHook',
    'DataCheckHook', 'EagerOptimizerHook', 'FixMatchHook', 'GateCurvesHook',
    'HeapHook', 'LDAMHook', 'ResultsHook', 'RuntimeInfoHook', 'StepSeedHook',
    'TeacherHook', 'keep_optimizer_eager'
]
