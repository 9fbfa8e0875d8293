"""Named errors of feature masks: what was got, what is allowed."""


class StageIndexError(ValueError):
    """A stage is named that the backbone does not have or does not return."""


class MapSizeError(ValueError):
    """Maps do not have the sizes that masks can be laid over."""


class MaskSetError(ValueError):
    """A mask set is not one that can be laid over a map."""


__all__ = ['MapSizeError', 'MaskSetError', 'StageIndexError']
