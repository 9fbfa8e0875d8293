from .adversarial import AdversarialClassifier
from .rotation_auxiliary import RotationAuxiliaryClassifier
from .trades import TRADESClassifier

__all__ = [
    'AdversarialClassifier', 'RotationAuxiliaryClassifier', 'TRADESClassifier'
]
