"""WideResNet and PyramidNet against closed forms and naive networks."""
import pytest
import torch
import torch.nn.functional as F
from torch.nn.functional import batch_norm


def norm(x, layer):
    """Batch statistics, without touching the running ones."""
    return batch_norm(
        x, None, None, layer.weight, layer.bias, training=True, eps=layer.eps)


def wide_closed_form(depth, k, size=32):
    n = (depth - 4) // 6
    params, macs = 27 * 16, 27 * 16 * size**2
    c_in = 16
    for group in range(3):
        c, side = 16 * k * 2**group, size // 2**group
        for i in range(n):
            weights = 9 * c_in * c + 9 * c * c
            if c_in != c or (group > 0 and i == 0):
                weights += c_in * c
            params += weights + 2 * c_in + 2 * c
            macs += weights * side**2
            c_in = c
    return params + 2 * c_in, macs


@pytest.mark.parametrize('depth, k, classes, published', [
    # Zagoruyko and Komodakis, table 4: 2.2M, 8.9M, 36.5M; WRN-28-2: 1.5M.
    (40, 2, 10, 2.2e6),
    (40, 4, 10, 8.9e6),
    (28, 10, 10, 36.5e6),
    (28, 2, 10, 1.5e6),
    (16, 1, 10, None),
])
def test_wide_parameters_and_multiply_adds(build, measure, depth, k, classes,
                                           published):
    net = build('WideResNet', depth=depth, widen_factor=k)
    params, macs = measure(net)
    assert (params, macs) == wide_closed_form(depth, k)
    assert net.feat_dim == 64 * k
    if published:
        total = params + (64 * k + 1) * classes
        assert total == pytest.approx(published, rel=0.025)


def pyramid_closed_form(depth, alpha, block, size=32):
    per_block = 2 if block == 'basic' else 3
    n = (depth - 2) // (3 * per_block)
    expansion = 1 if block == 'basic' else 4
    params, macs = 27 * 16 + 32, 27 * 16 * size**2
    c_in = 16
    for k in range(1, 3 * n + 1):
        # Exact in rational arithmetic, where alpha is divisible.
        assert alpha % (3 * n) == 0
        c = 16 + alpha * k // (3 * n)
        side = size // 2**((k - 1) // n)
        before = side * 2 if k in (n + 1, 2 * n + 1) else side
        if block == 'basic':
            convs = [(9 * c_in * c, side), (9 * c * c, side)]
            norms = c_in + 2 * c
        else:
            convs = [(c_in * c, before), (9 * c * c, side),
                     (4 * c * c, side)]
            norms = c_in + 2 * c + 4 * c
        params += sum(weights for weights, _ in convs) + 2 * norms
        macs += sum(weights * s**2 for weights, s in convs)
        c_in = c * expansion
    return params + 2 * c_in, macs


@pytest.mark.parametrize('depth, alpha, block', [
    (110, 270, 'basic'),
    (110, 36, 'bottleneck'),
    (20, 45, 'basic'),
])
def test_pyramid_parameters_and_multiply_adds(build, measure, depth, alpha,
                                              block):
    net = build('PyramidNet', depth=depth, alpha=alpha, block=block)
    assert measure(net) == pyramid_closed_form(depth, alpha, block)


def test_pyramid_published_size_and_stage_ends(build):
    net = build('PyramidNet', out_indices=(0, 1, 2))
    assert [net.widths[i] for i in (0, 1, 17, 35, 53)
            ] == [21, 26, 106, 196, 286]
    # Han et al., table 4: 28.3M with 10 classes, 28.5M as usually quoted
    # with 100.
    total = sum(p.numel() for p in net.parameters()) + 287 * 100
    assert total == pytest.approx(28.5e6, rel=0.003)
    assert [tuple(y.shape) for y in net.eval()(torch.zeros(1, 3, 32, 32))
            ] == [(1, 106, 32, 32), (1, 196, 16, 16), (1, 286, 8, 8)]
    # The paper's other reading, bottlenecks, would have 18.4M.
    other = build('PyramidNet', block='bottleneck')
    total = sum(p.numel() for p in other.parameters())
    total += (other.feat_dim + 1) * 100
    assert total == pytest.approx(18.4e6, rel=0.005)


def test_pyramid_widths_that_do_not_divide(build):
    # 84 / 9 = 9.33 a block: 25.33, 34.67, 44, 53.33, 62.67, 72, ...
    net = build('PyramidNet', depth=20, alpha=84)
    assert net.widths == [25, 35, 44, 53, 63, 72, 81, 91, 100]
    # Halves go to the even neighbour: 20.5, 25, 29.5, ... for 13.5 / 3.
    net = build('PyramidNet', depth=8, alpha=13.5)
    assert net.widths == [20, 25, 30]


def naive_wide(shared_act, tap, slope):
    """Pre-activation groups written out, nothing shared or in place."""

    def act(x):
        return torch.where(x > 0, x, slope * x)

    def run(x, net):
        x = F.conv2d(x, net.conv1.weight, padding=1)
        raw, read = [], []
        for index, group in enumerate((net.layer1, net.layer2, net.layer3)):
            for number, b in enumerate(group):
                stride = 2 if index > 0 and number == 0 else 1
                a = act(norm(x, b.norm1))
                if number == 0:
                    read.append(a)
                y = F.conv2d(a, b.conv1.weight, stride=stride, padding=1)
                y = F.conv2d(
                    act(norm(y, b.norm2)), b.conv2.weight, padding=1)
                if y.shape != x.shape:
                    shares = shared_act == 'all' or index == 0
                    x = F.conv2d(
                        a if shares else x, b.shortcut.weight, stride=stride)
                x = x + y
            raw.append(x)
        last = act(norm(x, net.norm))
        return (raw[:2] if tap == 'raw' else read[1:]) + [last]

    return run


@pytest.mark.parametrize('k', [1, 2])
@pytest.mark.parametrize('shared_act', ['all', 'first'])
@pytest.mark.parametrize('tap', ['raw', 'bnrelu'])
def test_wide_values_and_gradients(build, randomise, same_gradients, k,
                                   shared_act, tap):
    net = build(
        'WideResNet',
        depth=16,
        widen_factor=k,
        shared_act=shared_act,
        tap=tap,
        out_indices=(0, 1, 2),
        norm_cfg=dict(type='BN', momentum=0.001, eps=1e-3),
        act_cfg=dict(type='LeakyReLU', negative_slope=0.1))
    assert net.norm.momentum == 0.001 and net.norm.eps == 1e-3
    net = randomise(net.double()).train()
    x = torch.randn(2, 3, 9, 8, dtype=torch.double)
    same_gradients(net, naive_wide(shared_act, tap, 0.1), x)


def test_wide_switches_matter(build):
    """The switches change the function, never the parameters."""
    x = torch.randn(2, 3, 8, 8)
    nets = [
        build('WideResNet', depth=10, widen_factor=2, shared_act=s)
        for s in ('all', 'first')
    ]
    nets[1].load_state_dict(nets[0].state_dict())
    a, b = (net.train()(x)[0] for net in nets)
    assert not torch.allclose(a, b)


def test_wide_dropout_sits_between_the_convolutions(build):
    net = build('WideResNet', depth=10, widen_factor=1, dropout=0.5)
    seen = {}
    block = net.layer1[0]
    block.norm2.register_forward_hook(
        lambda m, i, o: seen.update(normed=o.detach().clone()))
    block.conv2.register_forward_pre_hook(
        lambda m, i: seen.update(read=i[0].detach().clone()))
    x = torch.randn(4, 3, 32, 32)
    net.train()(x)
    kept = seen['normed'].relu() > 0
    read = seen['read']
    dropped = (read[kept] == 0).float().mean().item()
    assert dropped == pytest.approx(0.5, abs=0.02)
    both = kept & (read != 0)
    torch.testing.assert_close(read[both], 2 * seen['normed'][both])
    net.eval()(x)
    assert torch.equal(seen['read'], seen['normed'].relu())


def naive_pyramid(tap, block):
    """Pyramidal stages written out, shortcuts by cat, pooling by hand."""

    def run(x, net):
        x = norm(F.conv2d(x, net.conv1.weight, padding=1), net.norm1)
        raw, read = [], []
        for index, stage in enumerate((net.layer1, net.layer2, net.layer3)):
            for number, b in enumerate(stage):
                stride = 2 if index > 0 and number == 0 else 1
                y = norm(x, b.norm1)
                if number == 0:
                    read.append(y.relu())
                steps = [(b.conv1, b.norm2), (b.conv2, b.norm3)]
                if block == 'bottleneck':
                    steps.append((b.conv3, b.norm4))
                strided = 1 if block == 'bottleneck' else 0
                for i, (conv, after) in enumerate(steps):
                    y = y.relu() if i > 0 else y
                    y = F.conv2d(
                        y, conv.weight,
                        stride=stride if i == strided else 1,
                        padding=conv.weight.shape[-1] // 2)
                    y = norm(y, after)
                if stride == 2:
                    x = (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2]
                         + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) / 4
                zeros = x.new_zeros(
                    len(x), y.shape[1] - x.shape[1], *x.shape[2:])
                x = y + torch.cat([x, zeros], 1)
            raw.append(x)
        last = norm(x, net.norm).relu()
        return (raw[:2] if tap == 'raw' else read[1:]) + [last]

    return run


@pytest.mark.parametrize('block', ['basic', 'bottleneck'])
@pytest.mark.parametrize('tap', ['raw', 'bnrelu'])
def test_pyramid_values_and_gradients(build, randomise, same_gradients, block,
                                      tap):
    net = build(
        'PyramidNet',
        depth=14 if block == 'basic' else 20,
        alpha=15,
        block=block,
        tap=tap,
        out_indices=(0, 1, 2))
    net = randomise(net.double()).train()
    x = torch.randn(2, 3, 8, 8, dtype=torch.double)
    same_gradients(net, naive_pyramid(tap, block), x)


def test_pyramid_takes_odd_sizes(build):
    net = build('PyramidNet', depth=8, alpha=9)
    assert net(torch.zeros(2, 3, 11, 7))[0].shape == (2, 25, 3, 2)


@pytest.mark.parametrize('name, kwargs', [
    ('WideResNet', dict(depth=10, widen_factor=2)),
    ('PyramidNet', dict(depth=8, alpha=9)),
])
def test_tap_updates_running_statistics_once(build, name, kwargs):
    x = torch.randn(4, 3, 16, 16)
    nets = [
        build(name, tap=tap, out_indices=(1, 2), **kwargs).train()
        for tap in ('raw', 'bnrelu')
    ]
    nets[1].load_state_dict(nets[0].state_dict())
    for net in nets:
        net(x)
    for (key, a), b in zip(
            nets[0].state_dict().items(),
            nets[1].state_dict().values(), strict=True):
        assert torch.equal(a, b), key


def test_pre_activation_init(build):
    for net in (build('WideResNet', depth=10, widen_factor=8),
                build('PyramidNet', depth=8, alpha=450)):
        net.init_weights()
        weight = net.layer2[0].conv1.weight
        assert weight.shape[0] != weight.shape[1]
        expected = (2 / (9 * weight.shape[0]))**0.5
        assert weight.std().item() == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize('name, bad, message', [
    ('WideResNet', dict(depth=30), r'6n\+4.*depth=30.*28 or 34'),
    ('WideResNet', dict(depth=10, dropout=1), r'\[0, 1\), got 1'),
    ('WideResNet', dict(depth=10, dropout=-.1), r'\[0, 1\), got -0.1'),
    ('WideResNet', dict(depth=10, shared_act='none'), "'none'"),
    ('WideResNet', dict(depth=10, tap='relu'), "'relu'"),
    ('WideResNet', dict(depth=10, out_indices=3), 'got 3'),
    ('PyramidNet', dict(depth=112), r'6n\+2.*depth=112.*110 or 116'),
    ('PyramidNet', dict(alpha=-1), 'alpha.*>= 0.*-1'),
    ('PyramidNet', dict(block='wide'), "'wide'"),
    ('PyramidNet', dict(tap=None), 'None'),
])
def test_bad_arguments(build, name, bad, message):
    with pytest.raises(ValueError, match=message):
        build(name, **bad)
