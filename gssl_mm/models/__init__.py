"""Networks, heads, losses, gates, pretext tasks."""
from .backbones import *  # noqa: F401,F403
from .gates import *  # noqa: F401,F403
from .heads import *  # noqa: F401,F403
from .losses import *  # noqa: F401,F403
from .pretext import *  # noqa: F401,F403
from .utils import *  # noqa: F401,F403
