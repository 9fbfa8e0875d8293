"""The config of a plain classifier: model and test, no training."""
import copy
from typing import Any

from mmengine.config import Config

# Metrics that need what a plain classifier and its config lack
TRAINED_WITH = ('ShotAccuracy', 'InferenceModeAccuracy')
LOAD = dict(type='LoadImageFromFile')


def _evaluators(found: Any) -> list:
    listed = found if isinstance(found, list | tuple) else [found]
    kept = [item for item in listed
            if item and item['type'].split('.')[-1] not in TRAINED_WITH]
    return kept or [dict(type='Accuracy', topk=(1, ))]


def file_pipeline(pipeline: list) -> list:
    """A test pipeline that starts from the path of an image.

    Args:
        pipeline (list): Of the test dataset.
    """
    first = pipeline[0]['type'] if pipeline else ''
    return pipeline if first == LOAD['type'] else [LOAD, *pipeline]


def plain_config(cfg: Config, model: dict, preprocessor: dict) -> Config:
    """Config with which a plain classifier is tested, predicts and is exported.

    Args:
        cfg (Config): What the model was trained with.
        model (dict): Of the plain classifier, without data preprocessor.
        preprocessor (dict): Its data preprocessor.

    Returns:
        Config: With a top-level ``data_preprocessor`` and ``test_pipeline``,
        where MMDeploy looks for them.
    """
    content = dict(
        default_scope='mmpretrain',
        model=copy.deepcopy(model),
        data_preprocessor=dict(preprocessor))
    if cfg.get('custom_imports'):
        content['custom_imports'] = cfg.custom_imports
    if cfg.get('test_dataloader'):
        content['test_dataloader'] = copy.deepcopy(cfg.test_dataloader)
        content['test_evaluator'] = _evaluators(
            copy.deepcopy(cfg.get('test_evaluator')))
        content['test_cfg'] = copy.deepcopy(cfg.get('test_cfg') or {})
        content['test_pipeline'] = file_pipeline(copy.deepcopy(
            cfg.test_dataloader.dataset.get('pipeline') or []))
    return Config(content)


__all__ = ['file_pipeline', 'plain_config']
