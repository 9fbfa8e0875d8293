"""A compiled training step whose weights are updated eagerly."""
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn

from gssl_mm.engine import EagerOptimizerHook


class WatchedSGD(torch.optim.SGD):
    """Keeps whether a step was traced or run."""

    def __init__(self, params, **kwargs):
        super().__init__(params, **kwargs)
        self.traced = []

    def step(self, closure=None):
        self.traced.append(torch.compiler.is_compiling())
        return super().step(closure)


def wrapper(model):
    return OptimWrapper(WatchedSGD(model.parameters(), lr=0.1, momentum=0.9))


def compiled_steps(optim_wrapper, model):
    """Two steps of the host's kind, compiled."""

    def step(x):
        optim_wrapper.update_params(model(x).square().mean())

    step = torch.compile(step, backend='eager')
    for x in torch.ones(2, 3, 4):
        step(x)
    return optim_wrapper.optimizer.traced


def before_train(optim_wrapper, **cfg):
    EagerOptimizerHook().before_train(SimpleNamespace(
        cfg=Config(cfg), optim_wrapper=optim_wrapper))


def test_a_step_is_traced_without_the_hook():
    model = nn.Linear(4, 2)
    assert True in compiled_steps(wrapper(model), model)


@pytest.mark.parametrize('value', [True, {}, dict(backend='eager')])
def test_a_step_is_run_with_it(value):
    torch.manual_seed(0)
    model, plain = nn.Linear(4, 2), nn.Linear(4, 2)
    plain.load_state_dict(model.state_dict())
    watched = wrapper(model)
    before_train(watched, compile=value)
    assert compiled_steps(watched, model) == [False, False]
    assert all(p.grad is None for p in model.parameters())
    expected = wrapper(plain)
    for x in torch.ones(2, 3, 4):
        expected.update_params(plain(x).square().mean())
    for one, other in zip(
            model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize('cfg', [{}, dict(compile=False), dict(compile=None)])
def test_nothing_changes_without_compile(cfg):
    one = wrapper(nn.Linear(4, 2))
    attributes = set(vars(one))
    before_train(one, **cfg)
    assert set(vars(one)) == attributes


def test_several_optimizers():
    models = nn.Linear(4, 2), nn.Linear(4, 2)
    one, two = (wrapper(model) for model in models)
    before_train(OptimWrapperDict(one=one, two=two), compile=True)
    for model, each in zip(models, (one, two), strict=True):
        assert compiled_steps(each, model) == [False, False]
