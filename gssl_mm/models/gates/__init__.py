"""Gates: how the losses of pretext tasks are mixed."""
from .agreement import Agreement, measure_agreement
from .aligned_gate import AlignedGate, MissingAgreementError
from .base_gate import BaseGate, GateOutput
from .softmax_gate import SoftmaxGate
from .uncertainty_gate import UncertaintyGate
from .uniform_gate import UniformGate

__all__ = [
    'Agreement', 'AlignedGate', 'BaseGate', 'GateOutput',
    'MissingAgreementError', 'SoftmaxGate', 'UncertaintyGate', 'UniformGate',
    'measure_agreement'
]
