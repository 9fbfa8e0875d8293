from .channels_last import ChannelsLastDDP, convert_to_channels_last
from .errors import (
    ArchitectureMismatchError,
    CheckpointError,
    EngineError,
    NonFiniteLossError,
    PrecisionError,
    WorkDirError,
)
from .find_checkpoint import find_resumable_checkpoint, verify_checkpoint
from .hooks import *  # noqa: F403
from .optimizers import *  # noqa: F403
from .safe_checkpoint import safe_load
from .schedulers import *  # noqa: F403
from .work_dir import check_work_dir

__all__ = [
    'ArchitectureMismatchError', 'ChannelsLastDDP', 'CheckpointError',
    'EngineError', 'NonFiniteLossError', 'PrecisionError', 'WorkDirError',
    'check_work_dir', 'convert_to_channels_last', 'find_resumable_checkpoint',
    'safe_load', 'verify_checkpoint'
]
