"""The examples in docstrings run, and their configs build."""
import doctest
import importlib
import pickle
import pkgutil

import numpy
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmpretrain.registry import (
    BATCH_AUGMENTS,
    DATA_SAMPLERS,
    DATASETS,
    HOOKS,
    METRICS,
    MODELS,
    TASK_UTILS,
    TRANSFORMS,
)

import gssl_mm

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
REGISTRIES = (MODELS, TASK_UTILS, DATASETS, DATA_SAMPLERS, HOOKS, METRICS,
              TRANSFORMS, BATCH_AUGMENTS)


def examples():
    """Name and parsed examples of every docstring that has some."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    for info in pkgutil.walk_packages(gssl_mm.__path__, 'gssl_mm.'):
        if '.mim' in info.name:
            continue
        module = importlib.import_module(info.name)
        for test in finder.find(module, info.name):
            if test.examples:
                yield test


EXAMPLES = list(examples())


def typed_dicts(node):
    if isinstance(node, dict):
        if 'type' in node:
            yield node
        for value in node.values():
            yield from typed_dicts(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from typed_dicts(value)


@pytest.mark.parametrize('test', EXAMPLES, ids=lambda test: test.name)
def test_example(test, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'batch').write_bytes(pickle.dumps({'data': [1, 2]}))
    test.globs.update(
        seed=0, iteration=0, torch=torch, numpy=numpy, np=numpy,
        path=tmp_path / 'batch', cfg=Config(dict(work_dir=str(tmp_path))))
    scope = test.globs
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    said = []
    runner.run(test, out=said.append, clear_globs=False)
    assert runner.failures == 0, ''.join(said)
    for cfg in typed_dicts({k: scope.get(k) for k in (
            'model', 'backbone', 'neck', 'head', 'train_dataloader',
            'val_evaluator', 'custom_hooks', 'default_hooks')}):
        kind = cfg['type']
        assert any(r.get(kind) is not None for r in REGISTRIES), kind
    for hook in scope.get('custom_hooks') or ():
        HOOKS.build(hook)
    for metric in scope.get('val_evaluator') or ():
        METRICS.build(metric)
    if isinstance(scope.get('optim_wrapper'), dict):
        build_optim_wrapper(torch.nn.Linear(2, 2), scope['optim_wrapper'])


def test_components_show_how_they_are_used():
    documented = {test.name.rsplit('.', 1)[-1] for test in EXAMPLES}
    missing = {name for name in (
        'LongTailedDataset', 'PretextTransform', 'PretextDataPreprocessor',
        'GatedMultiTaskHead', 'LDAMHook', 'CIFARResNet', 'ShotAccuracy')
        if name not in documented}
    assert not missing
