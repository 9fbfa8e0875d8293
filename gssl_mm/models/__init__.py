"""Networks, heads, losses, gates, pretext tasks."""
from .attacks import *  # noqa: F403
from .backbones import *  # noqa: F403
from .classifiers import *  # noqa: F403
from .gates import *  # noqa: F403
from .heads import *  # noqa: F403
from .losses import *  # noqa: F403
from .necks import *  # noqa: F403
from .pretext import *  # noqa: F403
from .utils import *  # noqa: F403
