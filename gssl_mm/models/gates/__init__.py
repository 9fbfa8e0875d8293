"""Gates: how the losses of pretext tasks are mixed."""
from .agreement import Agreement, measure_agreement
from .aligned_gate import AlignedGate, MissingAgreementError
from .base_gate import BaseGate, GateOutput
from .fixed_gate import FixedGate
from .softmax_gate import SoftmaxGate
from .uncertainty_gate import UncertaintyGate
from .uniform_gate import UniformGate

__all__ = [
    'Agreement', 'AlignedGate', 'BaseGate', 'FixedGate', 'GateOutput',
    'MissingAgreementError', 'SoftmaxGate', 'UncertaintyGate', 'UniformGate',
    'measure_agreement'
]
