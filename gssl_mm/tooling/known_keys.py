"""Config keys that are read without a component's constructor naming them."""
import inspect
from typing import Any

# A name this near to a known one is a misspelling, not another name.
NEAR = 0.85

# Read by mmengine's Runner from its config, or by the tools.
TOP_LEVEL = frozenset({
    'model', 'work_dir', 'train_dataloader', 'val_dataloader',
    'test_dataloader', 'train_cfg', 'val_cfg', 'test_cfg', 'auto_scale_lr',
    'optim_wrapper', 'param_scheduler', 'val_evaluator', 'test_evaluator',
    'default_hooks', 'custom_hooks', 'data_preprocessor', 'load_from',
    'resume', 'launcher', 'env_cfg', 'log_processor', 'log_level',
    'visualizer', 'default_scope', 'randomness', 'experiment_name',
    'runner_type', 'sync_bn', 'model_wrapper_cfg', 'compile',
    'custom_imports', 'tta_model', 'tta_pipeline', 'total_batch_size',
    'result_label', 'cfg_options', 'find_unused_parameters',
    'efficient_conv_bn_eval'
})
# Usual names of helper variables, some near to a name above.
TOP_LEVEL_HELPERS = frozenset({
    'train_pipeline', 'val_pipeline', 'test_pipeline', 'dataset_type',
    'data_root', 'vis_backends', 'codebase_config', 'backend_config',
    'onnx_config', 'ir_config'
})
# Popped by a builder before the constructor is called.
BUILDER_KEYS = frozenset({
    'type', '_scope_', '_delete_', 'priority', 'constructor', 'paramwise_cfg',
    'convert_to_iter_based', 'by_epoch'
})
# Dicts whose keys are names chosen by the user, or are read by something that
# accepts more than its constructor shows.
FREE_FORM = frozenset({
    'init_cfg', 'norm_cfg', 'conv_cfg', 'act_cfg', 'padding_cfg',
    'custom_imports', 'custom_keys', 'metainfo', 'codebase_config',
    'backend_config', 'onnx_config', 'ir_config', 'cfg', 'compile'
})
_ENV = {'cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'}
_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
_LOADER_EXTRAS = {
    'dataset', 'sampler', 'batch_sampler', 'collate_fn', 'worker_init_fn',
    'num_batch_per_epoch'
}
_PARAMWISE = {
    'lr_mult', 'decay_mult', 'custom_keys', 'bias_lr_mult',
    'bias_decay_mult', 'norm_decay_mult', 'flat_decay_mult',
    'dwconv_decay_mult', 'dcn_offset_lr_mult', 'bypass_duplicate',
    'layer_decay_rate', 'num_layers'
}


def _names(function: Any) -> set[str]:
    return set(inspect.signature(function).parameters) - {'self'}


def _loop_names(path: str, node: dict) -> set[str]:
    from mmengine import runner
    if path == 'train_cfg':
        loop = runner.EpochBasedTrainLoop if node.get('by_epoch', True) \
            else runner.IterBasedTrainLoop
    else:
        loop = runner.ValLoop if path == 'val_cfg' else runner.TestLoop
    return _names(loop) | {'by_epoch'}


def typeless_keys(path: str, node: dict) -> set[str] | None:
    """Keys allowed in a dict that the Runner reads without ``type``.

    Args:
        path (str): Key path of the dict in the config.
        node (dict): The dict.

    Returns:
        set[str], optional: None when the path is not such a dict.
    """
    if path.endswith('paramwise_cfg'):
        return _PARAMWISE
    if path in _LOADERS:
        from torch.utils.data import DataLoader
        return _names(DataLoader) | _LOADER_EXTRAS
    if path == 'randomness':
        from mmengine.runner import Runner
        return _names(Runner.set_randomness)
    if path == 'env_cfg':
        return _ENV
    if path == 'auto_scale_lr':
        return {'enable', 'base_batch_size'}
    if 'type' in node:
        return None
    if path in ('train_cfg', 'val_cfg', 'test_cfg'):
        return _loop_names(path, node)
    if path == 'optim_wrapper':
        from mmengine.optim import OptimWrapper
        return _names(OptimWrapper)
    if path == 'log_processor':
        from mmengine.runner import LogProcessor
        return _names(LogProcessor)
    return None


__all__ = [
    'BUILDER_KEYS', 'FREE_FORM', 'NEAR', 'TOP_LEVEL', 'TOP_LEVEL_HELPERS',
    'typeless_keys'
]
