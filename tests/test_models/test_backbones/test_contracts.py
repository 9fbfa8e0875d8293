"""What every backbone of ours promises, whatever its architecture."""
import doctest

import pytest
import torch
import torch.nn as nn

from gssl_mm.models.backbones import CIFARResNet, PyramidNet, WideResNet
from gssl_mm.registry import MODELS

SMALL = [
    pytest.param('CIFARResNet', dict(depth=8, out_indices=(1, 2)), id='res-A'),
    pytest.param(
        'CIFARResNet',
        dict(depth=11, block='bottleneck', shortcut='B', out_indices=(1, 2)),
        id='res-B'),
    pytest.param(
        'WideResNet',
        dict(
            depth=10,
            widen_factor=2,
            tap='bnrelu',
            shared_act='first',
            out_indices=(1, 2)),
        id='wide'),
    pytest.param(
        'PyramidNet', dict(depth=8, alpha=9, out_indices=(1, 2)), id='pyr'),
]
every = pytest.mark.parametrize('name, kwargs', SMALL)


@every
def test_state_dict_round_trip(build, randomise, name, kwargs):
    a, b = randomise(build(name, **kwargs)), build(name, **kwargs)
    b.load_state_dict(a.state_dict())
    x = torch.randn(2, 3, 16, 16)
    for y, z in zip(a.eval()(x), b.eval()(x), strict=True):
        assert torch.equal(y, z)


@every
def test_bfloat16_autocast(build, name, kwargs):
    net, x = build(name, **kwargs), torch.randn(4, 3, 16, 16)
    net.train()
    exact = net(x)
    with torch.autocast('cpu', torch.bfloat16):
        rounded = net(x)
        sum(y.float().square().mean() for y in rounded).backward()
    for p in net.parameters():
        assert p.dtype == torch.float32 and p.grad.isfinite().all()
    for y, z in zip(exact, rounded, strict=True):
        error = (y - z.float()).norm() / y.norm()
        assert 0 < error < 0.05


@every
def test_channels_last_equals_contiguous(build, name, kwargs):
    net = build(name, **kwargs).double().train()
    x = torch.randn(2, 3, 16, 16, dtype=torch.double)
    state = {k: v.clone() for k, v in net.state_dict().items()}
    results = []
    for memory_format in (torch.contiguous_format, torch.channels_last):
        net.load_state_dict(state)
        net.to(memory_format=memory_format)
        net.zero_grad()
        outs = net(x.contiguous(memory_format=memory_format))
        # Nothing on the way falls back to the other layout.
        for y in outs:
            assert y.is_contiguous(memory_format=memory_format)
        sum(y.square().sum() for y in outs).backward()
        results.append((outs, [p.grad for p in net.parameters()]))
    (outs, grads), (outs_cl, grads_cl) = results
    for y, z in zip([*outs, *grads], [*outs_cl, *grads_cl], strict=True):
        torch.testing.assert_close(y, z, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
@every
def test_compiled_equals_eager(build, name, kwargs):
    net = build(name, **kwargs)
    compiled = torch.compile(net, fullgraph=True)
    x = torch.randn(2, 3, 16, 16)
    state = {k: v.clone() for k, v in net.state_dict().items()}
    results = []
    for function in (net, compiled):
        net.load_state_dict(state)
        net.zero_grad()
        outs = function(x)
        sum(y.square().mean() for y in outs).backward()
        results.append((outs, [p.grad.clone() for p in net.parameters()]))
    (outs, grads), (outs_c, grads_c) = results
    for y, z in zip([*outs, *grads], [*outs_c, *grads_c], strict=True):
        torch.testing.assert_close(y, z, rtol=1e-3, atol=1e-4)


@every
def test_traces_without_graph_breaks(build, name, kwargs):
    """One graph without breaks, by the tracer alone: no compiler needed."""
    net, graphs = build(name, **kwargs), []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    torch._dynamo.reset()
    net.train()
    x = torch.randn(2, 3, 16, 16)
    outs = torch.compile(net, backend=backend, fullgraph=True)(x)
    assert len(graphs) == 1 and len(outs) == 2
    torch._dynamo.reset()


@every
def test_returned_maps_survive(build, name, kwargs):
    """No later in-place operation changes what was returned."""
    kwargs = {**kwargs, 'out_indices': (0, 1, 2)}
    net = build(name, **kwargs).eval()
    x = torch.randn(2, 3, 16, 16)
    copies = []
    last = {'CIFARResNet': 'layer3'}.get(name, 'norm')
    together = net(x)
    for i in range(3):
        net.out_indices = (i, )
        copies.append(net(x)[0])
    assert isinstance(getattr(net, last), nn.Module)
    for y, z in zip(together, copies, strict=True):
        assert torch.equal(y, z)
    before = x.clone()
    net(x)
    assert torch.equal(x, before)


@every
def test_outputs_follow_out_indices(build, name, kwargs):
    net = build(name, **{**kwargs, 'out_indices': 1})
    assert [y.shape[-1] for y in net(torch.zeros(2, 3, 16, 16))] == [8]
    net = build(name, **{**kwargs, 'out_indices': [2, 0]})
    assert [y.shape[-1] for y in net(torch.zeros(2, 3, 16, 16))] == [4, 16]


@pytest.mark.parametrize('norm_cfg', [
    dict(type='SyncBN'),
    dict(type='GN', num_groups=1),
    dict(type='BN', momentum=0.01, eps=1e-3),
])
@every
def test_norm_layers_by_config(build, norm_cfg, name, kwargs):
    net = build(name, norm_cfg=norm_cfg, **kwargs)
    kind = dict(SyncBN=nn.SyncBatchNorm, GN=nn.GroupNorm, BN=nn.BatchNorm2d)
    norms = [m for m in net.modules() if 'Norm' in type(m).__name__]
    assert norms
    assert all(isinstance(m, kind[norm_cfg['type']]) for m in norms)
    net.init_weights()
    assert all(y.isfinite().all()
               for y in net.eval()(torch.randn(2, 3, 16, 16)))


@every
def test_every_parameter_gets_a_gradient(build, name, kwargs):
    net = build(name, **{**kwargs, 'out_indices': (2, )}).train()
    net(torch.randn(4, 3, 16, 16))[0].square().sum().backward()
    for key, p in net.named_parameters():
        assert p.grad is not None and p.grad.abs().sum() > 0, key


@every
def test_frozen_stages_and_norm_eval(build, name, kwargs):
    net = build(name, frozen_stages=1, **kwargs)
    assert net.train() is net
    state = {k: v.clone() for k, v in net.state_dict().items()}
    outs = net(torch.randn(4, 3, 16, 16))
    sum(y.square().sum() for y in outs).backward()
    for key, p in net.named_parameters():
        frozen = key.startswith(('conv1', 'norm1', 'layer1'))
        assert p.requires_grad != frozen and (p.grad is None) == frozen, key
    for key, value in net.state_dict().items():
        if key.endswith('running_mean'):
            frozen = key.startswith(('norm1', 'layer1'))
            assert torch.equal(value, state[key]) == frozen, key

    net = build(name, frozen_stages=3, **kwargs).train()
    assert not any(p.requires_grad for p in net.parameters())
    net = build(name, norm_eval=True, **kwargs).train()
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms and not any(m.training for m in norms)
    assert all(p.requires_grad for p in net.parameters()) and net.training


@every
def test_init_cfg_replaces_the_default(build, name, kwargs):
    init_cfg = dict(type='Constant', layer='Conv2d', val=0.25)
    net = build(name, init_cfg=init_cfg, **kwargs)
    net.init_weights()
    assert net.conv1.weight.eq(0.25).all()


@every
def test_stages_can_be_hooked(build, name, kwargs):
    """Class activation maps look at layer1 ... layer3 by forward hooks."""
    net = build(name, **{**kwargs, **({'tap': 'raw'} if 'tap' in kwargs
                                      else {})})
    seen = []
    for i in (1, 2, 3):
        getattr(net, f'layer{i}').register_forward_hook(
            lambda m, a, out: seen.append(out.shape[-1]))
    net(torch.zeros(2, 3, 16, 16))
    assert seen == [16, 8, 4]


@pytest.mark.parametrize('cls', [CIFARResNet, WideResNet, PyramidNet])
def test_docstring_examples_build_and_run(cls):
    examples = doctest.DocTestParser().get_examples(cls.__doc__)
    assert examples
    for example in examples:
        scope = {}
        exec(example.source, scope)
        net = MODELS.build(scope['backbone']).eval()
        with torch.no_grad():
            assert len(net(torch.zeros(1, 3, 8, 8))) == len(net.out_indices)
