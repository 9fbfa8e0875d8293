"""Registry nodes of ``gssl_mm``.

Every node is a child of the MMPretrain node of the same name, so that a config
with ``default_scope = 'mmpretrain'`` reaches the host's components without a
prefix and ours as ``gssl_mm.Name``. The prefix alone imports the package: no
``custom_imports`` are needed.
"""
from mmengine.registry import Registry
from mmpretrain import registry as host


def _child(name: str, parent: Registry, *locations: str) -> Registry:
    return Registry(
        name, parent=parent, scope='gssl_mm', locations=list(locations))


# Anything that trains: networks, heads, losses, gates, data preprocessors.
MODELS = _child('model', host.MODELS, 'gssl_mm.models')
# Pretext tasks and attacks: plain objects that a model uses.
TASK_UTILS = _child('task util', host.TASK_UTILS, 'gssl_mm.models')
BATCH_AUGMENTS = _child('batch augment', host.BATCH_AUGMENTS, 'gssl_mm.models')
MODEL_WRAPPERS = _child('model wrapper', host.MODEL_WRAPPERS, 'gssl_mm.models')

DATASETS = _child('dataset', host.DATASETS, 'gssl_mm.datasets')
DATA_SAMPLERS = _child('data sampler', host.DATA_SAMPLERS, 'gssl_mm.datasets')
TRANSFORMS = _child('transform', host.TRANSFORMS, 'gssl_mm.datasets')

HOOKS = _child(
    'hook', host.HOOKS, 'gssl_mm.engine', 'gssl_mm.evaluation')
LOOPS = _child(
    'loop', host.LOOPS, 'gssl_mm.engine', 'gssl_mm.evaluation')
OPTIM_WRAPPERS = _child('optim wrapper', host.OPTIM_WRAPPERS, 'gssl_mm.engine')
PARAM_SCHEDULERS = _child(
    'parameter scheduler', host.PARAM_SCHEDULERS, 'gssl_mm.engine')

METRICS = _child('metric', host.METRICS, 'gssl_mm.evaluation')
EVALUATORS = _child('evaluator', host.EVALUATORS, 'gssl_mm.evaluation')
VISUALIZERS = _child('visualizer', host.VISUALIZERS, 'gssl_mm.visualization')
VISBACKENDS = _child(
    'vis backend', host.VISBACKENDS, 'gssl_mm.visualization')

__all__ = [
    'MODELS', 'TASK_UTILS', 'BATCH_AUGMENTS', 'MODEL_WRAPPERS', 'DATASETS',
    'DATA_SAMPLERS', 'TRANSFORMS', 'HOOKS', 'LOOPS', 'OPTIM_WRAPPERS',
    'PARAM_SCHEDULERS', 'METRICS', 'EVALUATORS', 'VISUALIZERS', 'VISBACKENDS'
]
