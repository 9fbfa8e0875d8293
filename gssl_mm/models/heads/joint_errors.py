"""Named errors of joint labels: what was got, what is allowed."""


class JointWidthError(ValueError):
    """A joint classifier, or its loss, is not classes x views wide."""


class ViewCountError(ValueError):
    """Features do not hold the views that a joint head was built for."""


__all__ = ['JointWidthError', 'ViewCountError']
