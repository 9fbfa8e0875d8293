from .class_bars import plot_class_accuracy, read_per_class
from .gate_curve import NoGateLoggedError, plot_gate_curves, read_gate_curve
from .pretext_grid import describe_label, plot_pretext_grid

__all__ = [
    'NoGateLoggedError', 'describe_label', 'plot_class_accuracy',
    'plot_gate_curves', 'plot_pretext_grid', 'read_gate_curve',
    'read_per_class'
]
