from .adversarial import AdversarialClassifier
from .fixmatch import FixMatchClassifier
from .mean_teacher import MeanTeacherClassifier
from .mixmatch import MixMatchClassifier
from .pi_model import PiModelClassifier
from .pseudo_label import PseudoLabelClassifier
from .rotation_auxiliary import RotationAuxiliaryClassifier
from .semi_supervised import SemiSupervisedClassifier
from .trades import TRADESClassifier

__all__ = [
    'AdversarialClassifier', 'FixMatchClassifier', 'MeanTeacherClassifier',
    'MixMatchClassifier', 'PiModelClassifier', 'PseudoLabelClassifier',
    'RotationAuxiliaryClassifier', 'SemiSupervisedClassifier',
    'TRADESClassifier'
]
