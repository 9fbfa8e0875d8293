"""Chance accuracy of a config's pretext tasks."""
from typing import Any


def chance_of(cfg: Any) -> dict[str, float]:
    """Task name to chance accuracy in percent; empty without tasks."""
    from mmengine.registry import DefaultScope

    from gssl_mm.models.pretext import build_tasks
    pretext = (cfg.model.get('data_preprocessor') or {}).get('pretext') or {}
    if not pretext.get('tasks'):
        return {}
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return {task.name: 100 / task.num_classes
                for task in build_tasks(pretext['tasks'])}


__all__ = ['chance_of']
