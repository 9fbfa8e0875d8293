"""The docstrings' examples are configs that build."""
import doctest

import pytest

from gssl_mm.evaluation import CalibrationError, ClassCountsHook, ShotAccuracy
from gssl_mm.registry import HOOKS, METRICS


@pytest.mark.parametrize('cls', [CalibrationError, ClassCountsHook,
                                 ShotAccuracy])
def test_docstring_examples_build(cls):
    scope = {}
    for example in doctest.DocTestParser().get_examples(cls.__doc__):
        exec(example.source, scope)
    built = [HOOKS.build(cfg) for cfg in scope.get('custom_hooks', ())]
    built += [METRICS.build(cfg) for cfg in scope.get('val_evaluator', ())]
    assert cls in {type(thing) for thing in built}
