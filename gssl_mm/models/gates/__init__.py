"""Gates: how the losses of pretext tasks are mixed."""
from .base_gate import BaseGate
from .softmax_gate import SoftmaxGate
from .uniform_gate import UniformGate

__all__ = ['BaseGate', 'SoftmaxGate', 'UniformGate']
