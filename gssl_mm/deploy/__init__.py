from .errors import (
    DeployConfigError,
    DeployDependencyError,
    DeployError,
    ExportMismatchError,
    PublishError,
    UnsupportedOpsetError,
)
from .publish import publish_model, to_plain_classifier

__all__ = [
    'DeployConfigError', 'DeployDependencyError', 'DeployError',
    'ExportMismatchError', 'PublishError', 'UnsupportedOpsetError',
    'publish_model', 'to_plain_classifier'
]
