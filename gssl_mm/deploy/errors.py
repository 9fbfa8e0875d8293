"""Named errors of publishing and exporting."""


class DeployError(Exception):
    """Base of the errors raised while a model is published or exported."""


class PublishError(DeployError, ValueError):
    """A checkpoint can't be turned into a plain classifier as asked."""


class DeployDependencyError(DeployError, ImportError):
    """A package that an exporter needs is not installed."""


class UnsupportedOpsetError(DeployError, ValueError):
    """An operator set that the exporter can't write."""


class DeployConfigError(DeployError, ValueError):
    """A deploy config asks for what an exporter here does not write."""


class ExportMismatchError(DeployError, ArithmeticError):
    """The exported graph computes something else than the model."""


__all__ = [
    'DeployConfigError', 'DeployDependencyError', 'DeployError',
    'ExportMismatchError', 'PublishError', 'UnsupportedOpsetError'
]
