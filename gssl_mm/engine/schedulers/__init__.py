from .cosine import StepAheadCosineLR

__all__ = ['StepAheadCosineLR']
