"""bfloat16 training on the CPU."""
import logging

import pytest
import torch
from torch import nn

from gssl_mm.engine import AmpOptimWrapper, PrecisionError
from gssl_mm.engine.optimizers import amp_optim_wrapper
from gssl_mm.registry import OPTIM_WRAPPERS


def make(model, **kwargs):
    return OPTIM_WRAPPERS.build(dict(
        type='gssl_mm.AmpOptimWrapper',
        optimizer=torch.optim.SGD(model.parameters(), lr=0.5), **kwargs))


def test_forward_is_bfloat16_and_weights_are_float32():
    model = nn.Linear(64, 3)
    wrapper = make(model)
    inputs = torch.randn(4, 64)
    exact = model(inputs)
    with wrapper.optim_context(model):
        outputs = model(inputs)
    assert outputs.dtype is torch.bfloat16
    assert 0 < (outputs - exact).abs().max() < 0.05
    assert not torch.is_autocast_enabled('cpu')
    before = model.weight.detach().clone()
    wrapper.update_params(outputs.float().square().mean())
    assert model.weight.dtype is torch.float32
    assert not torch.equal(before, model.weight)


def test_update_equals_plain_autocast():
    torch.manual_seed(0)
    model, twin = nn.Linear(5, 3), nn.Linear(5, 3)
    twin.load_state_dict(model.state_dict())
    wrapper, inputs = make(model), torch.randn(4, 5)
    with wrapper.optim_context(model):
        loss = model(inputs).float().square().mean()
    wrapper.update_params(loss)
    with torch.autocast('cpu', torch.bfloat16):
        loss = twin(inputs).float().square().mean()
    loss.backward()
    with torch.no_grad():
        for param in twin.parameters():
            param -= 0.5 * param.grad
    for mine, other in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=0)


def test_gradient_accumulation():
    torch.manual_seed(0)
    model, twin = nn.Linear(5, 3), nn.Linear(5, 3)
    twin.load_state_dict(model.state_dict())
    accumulated, whole = make(model, accumulative_counts=2), make(twin)
    accumulated.initialize_count_status(model, 0, 4)
    inputs = torch.randn(8, 5)
    start = model.weight.detach().clone()
    for number, part in enumerate(inputs.chunk(2)):
        assert accumulated.should_sync() is (number == 1)
        assert torch.equal(model.weight, start)
        with accumulated.optim_context(model):
            loss = model(part).float().square().mean()
        accumulated.update_params(loss)
    with whole.optim_context(twin):
        loss = twin(inputs).float().square().mean()
    whole.update_params(loss)
    assert not torch.equal(model.weight, start)
    torch.testing.assert_close(model.weight, twin.weight, rtol=0, atol=2e-3)


@pytest.mark.parametrize('dtype', [None, 'bfloat16', torch.bfloat16])
def test_loss_scale_is_accepted(dtype):
    wrapper = make(nn.Linear(1, 1), dtype=dtype, loss_scale='dynamic')
    assert wrapper.cast_dtype is torch.bfloat16


@pytest.mark.parametrize('dtype', ['float16', torch.float16, 'int8'])
def test_other_formats_are_refused(dtype):
    with pytest.raises(PrecisionError, match='bfloat16 alone, got .*(CPU|GPU)?'
                       '.*without --amp|float16 needs loss scaling'):
        make(nn.Linear(1, 1), dtype=dtype)


@pytest.mark.parametrize('fast', [True, False])
def test_a_cpu_that_is_slow_in_bfloat16_is_warned_of(fast, monkeypatch):
    monkeypatch.setattr(amp_optim_wrapper, 'cpu_has_fast_bfloat16',
                        lambda: fast)
    said = []
    monkeypatch.setattr(amp_optim_wrapper, 'print_log',
                        lambda *words: said.append(words))
    make(nn.Linear(1, 1))
    assert [(where, level) for _, where, level in said] == (
        [] if fast else [('current', logging.WARNING)])
    assert fast or 'float32' in said[0][0]


def test_avx512_is_what_makes_it_fast_on_x86():
    capability = torch.backends.cpu.get_cpu_capability()
    if 'AVX' in capability:
        assert amp_optim_wrapper.cpu_has_fast_bfloat16() is (
            'AVX512' in capability)


def test_state_of_a_float16_run_is_read():
    model = nn.Linear(2, 2)
    state = make(model).state_dict()
    state = dict(state, loss_scaler=dict(scale=2.))
    state['param_groups'][0]['lr'] = 0.125
    wrapper = make(model)
    wrapper.load_state_dict(state)
    assert wrapper.get_lr()['lr'] == [0.125]
    assert 'loss_scaler' in state
    assert isinstance(wrapper, AmpOptimWrapper)
