import pytest
import torch
import torch.nn as nn
from torch.utils.flop_counter import FlopCounterMode

import gssl_mm.models.backbones  # noqa: F401
from gssl_mm.registry import MODELS


@pytest.fixture
def build():
    """Build a backbone by its registered name; every test builds this way."""

    def _build(name, **kwargs):
        torch.manual_seed(0)
        return MODELS.build(dict(type=f'gssl_mm.{name}', **kwargs))

    return _build


@pytest.fixture
def randomise():
    """Give norm layers weights and statistics that are not 1 and 0."""

    def _randomise(net):
        generator = torch.Generator().manual_seed(1)
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                for tensor in (module.weight, module.running_var):
                    tensor.data.uniform_(0.5, 1.5, generator=generator)
                for tensor in (module.bias, module.running_mean):
                    tensor.data.normal_(0, 0.3, generator=generator)
        return net

    return _randomise


@pytest.fixture
def measure():
    """Count parameters and multiply-adds of one 3xSxS image."""

    def _measure(net, size=32):
        params = sum(p.numel() for p in net.parameters())
        image = torch.zeros(1, 3, size, size)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            net.eval()(image)
        return params, counter.get_total_flops() // 2

    return _measure


@pytest.fixture
def same_gradients():
    """Compare values and gradients, of input and weights, of two functions.

    Both take (input, net); the sum of their outputs, each weighted by random
    numbers, is differentiated.
    """

    def outputs_and_grads(function, net, x):
        x = x.clone().requires_grad_(True)
        net.zero_grad()
        outputs = function(x, net)
        generator = torch.Generator().manual_seed(2)
        total = 0.
        for out in outputs:
            weight = torch.randn(
                out.shape, generator=generator, dtype=out.dtype)
            total = total + (out * weight).sum()
        total.backward()
        grads = {n: p.grad.clone() for n, p in net.named_parameters()}
        return [o.detach() for o in outputs], grads, x.grad

    def _check(net, naive, x, atol=1e-9):
        stats = {k: v.clone() for k, v in net.state_dict().items()}
        ours, our_grads, our_x = outputs_and_grads(
            lambda x, net: net(x), net, x)
        net.load_state_dict(stats)
        theirs, their_grads, their_x = outputs_and_grads(naive, net, x)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-7, atol=atol)
        for name, grad in our_grads.items():
            assert grad.abs().max() > 0, name
            torch.testing.assert_close(
                grad, their_grads[name], rtol=1e-6, atol=1e-8, msg=name)
        torch.testing.assert_close(our_x, their_x, rtol=1e-6, atol=1e-8)

    return _check
