from .cam import class_activation_map, class_weights, enlarge, grad_cam
from .cam_grid import ModelMaps, model_maps, overlay, plot_cam_grid
from .class_bars import plot_class_accuracy, read_per_class
from .class_counts import plot_class_counts, read_class_counts
from .embedding import (
    Embedding,
    embed,
    knn_accuracy,
    plot_embeddings,
    silhouette,
    tsne,
)
from .errors import (
    FigureFormatError,
    HalfWrittenLogError,
    MissingExtraError,
    RunLogError,
    SampleError,
    TargetLayerError,
)
from .gate_curve import NoGateLoggedError, plot_gate_curves, read_gate_curve
from .gate_study import NoStudyError, plot_study_curves, read_study_curves
from .predictions import (
    calibration,
    confusion_matrix,
    model_outputs,
    plot_confusion,
    plot_reliability,
)
from .pretext_grid import describe_label, plot_pretext_grid
from .trained_model import TrainedModel, load_all, load_trained

__all__ = [
    'Embedding', 'FigureFormatError', 'HalfWrittenLogError',
    'MissingExtraError', 'ModelMaps', 'NoGateLoggedError', 'NoStudyError',
    'RunLogError', 'SampleError', 'TargetLayerError', 'TrainedModel',
    'calibration', 'class_activation_map', 'class_weights', 'confusion_matrix',
    'describe_label', 'embed', 'enlarge', 'grad_cam', 'knn_accuracy',
    'load_all', 'load_trained', 'model_maps', 'model_outputs', 'overlay',
    'plot_cam_grid', 'plot_class_accuracy', 'plot_class_counts',
    'plot_confusion', 'plot_embeddings', 'plot_gate_curves',
    'plot_pretext_grid', 'plot_reliability', 'plot_study_curves',
    'read_class_counts', 'read_gate_curve', 'read_per_class',
    'read_study_curves', 'silhouette', 'tsne'
]
