from .cosine import StepAheadCosineLR
from .fixmatch_cosine import FixMatchCosineLR

__all__ = ['FixMatchCosineLR', 'StepAheadCosineLR']
