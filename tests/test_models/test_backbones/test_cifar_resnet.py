"""CIFARResNet: structure by closed form, values by a naive network."""
import pytest
import torch
import torch.nn.functional as F


def closed_form(depth, block='basic', shortcut='A', w=16, size=32):
    """Parameters and multiply-adds from the layer list of the paper.

    Convolutions of k x k from a to b channels on an s x s output hold k*k*a*b
    numbers and cost k*k*a*b*s*s; batch norm holds 2 a channel.
    """
    per_block = {'basic': 2, 'bottleneck': 3}[block]
    expansion = {'basic': 1, 'bottleneck': 4}[block]
    n = (depth - 2) // (3 * per_block)
    params, macs = 27 * w + 2 * w, 27 * w * size * size
    c_in = w
    for stage in range(3):
        c, s = w * 2**stage, size // 2**stage
        out = c * expansion
        for i in range(n):
            before = s * 2 if stage > 0 and i == 0 else s
            if block == 'basic':
                convs = [(9 * c_in * c, s), (9 * c * c, s)]
                norms = 2 * c
            else:
                convs = [(c_in * c, before), (9 * c * c, s), (c * out, s)]
                norms = 2 * c + out
            changes = c_in != out or before != s
            if shortcut == 'B' and changes:
                convs.append((c_in * out, s))
                norms += out
            params += sum(weights for weights, _ in convs) + 2 * norms
            macs += sum(weights * side**2 for weights, side in convs)
            c_in = out
    return params, macs


@pytest.mark.parametrize('depth, block, shortcut, size', [
    (20, 'basic', 'A', 32),
    (32, 'basic', 'A', 32),
    (110, 'basic', 'A', 32),
    (56, 'basic', 'B', 32),
    (56, 'bottleneck', 'B', 32),
    (110, 'bottleneck', 'B', 32),
    (164, 'bottleneck', 'B', 32),
    (56, 'bottleneck', 'A', 32),
    (110, 'bottleneck', 'B', 64),
])
def test_parameters_and_multiply_adds(build, measure, depth, block, shortcut,
                                      size):
    net = build('CIFARResNet', depth=depth, block=block, shortcut=shortcut)
    assert measure(net, size) == closed_form(
        depth, block, shortcut, size=size)


@pytest.mark.parametrize('depth, block, shortcut, classes, published', [
    # He et al., table 6: 0.27M, 0.46M, 0.85M and 1.7M with a 10-way layer.
    (20, 'basic', 'A', 10, 0.27e6),
    (32, 'basic', 'A', 10, 0.46e6),
    (56, 'basic', 'A', 10, 0.85e6),
    (110, 'basic', 'A', 10, 1.7e6),
    # The public bottleneck ResNets of these depths: 1.7M for 164.
    (164, 'bottleneck', 'B', 10, 1.7e6),
])
def test_published_sizes(build, depth, block, shortcut, classes, published):
    net = build('CIFARResNet', depth=depth, block=block, shortcut=shortcut)
    total = sum(p.numel() for p in net.parameters())
    total += (net.feat_dim + 1) * classes
    assert total == pytest.approx(published, rel=0.03)
    if depth == 32:
        assert total == 464154


@pytest.mark.parametrize('block, scale', [('basic', 1), ('bottleneck', 4)])
@pytest.mark.parametrize('stem_stride', [1, 2])
def test_stage_shapes(build, block, scale, stem_stride):
    net = build(
        'CIFARResNet',
        depth=11 if block == 'bottleneck' else 8,
        block=block,
        stem_stride=stem_stride,
        out_indices=(0, 1, 2))
    sides = [32 // stem_stride // 2**i for i in range(3)]
    assert [tuple(y.shape) for y in net(torch.zeros(2, 3, 32, 32))] == [
        (2, scale * 16 * 2**i, side, side) for i, side in enumerate(sides)
    ]
    assert net.feat_dim == 64 * scale


def test_odd_sizes_pass_both_shortcuts(build):
    for shortcut in 'AB':
        net = build('CIFARResNet', depth=8, shortcut=shortcut)
        assert net(torch.zeros(2, 3, 17, 30))[0].shape == (2, 64, 5, 8)


def naive_norm(x, norm, training):
    """Batch norm from its definition."""
    if training:
        mean = x.mean((0, 2, 3))
        var = ((x - mean[:, None, None])**2).mean((0, 2, 3))
    else:
        mean, var = norm.running_mean, norm.running_var
    scale = norm.weight / (var + norm.eps).sqrt()
    return (x - mean[:, None, None]) * scale[:, None, None] \
        + norm.bias[:, None, None]


def naive_shortcut(x, block, stride, out, option, pad, training):
    n, c, h, w = x.shape
    if c == out and stride == 1:
        return x
    if option == 'B':
        conv, norm = block.shortcut
        return naive_norm(F.conv2d(x, conv.weight, stride=stride), norm,
                          training)
    rows = torch.arange(0, h, stride)
    cols = torch.arange(0, w, stride)
    x = x.index_select(2, rows).index_select(3, cols)
    before = (out - c) // 2 if pad == 'symmetric' else 0
    zeros = x.new_zeros(n, out - c, *x.shape[2:])
    return torch.cat([zeros[:, :before], x, zeros[:, before:]], 1)


def naive_resnet(option, pad, block):
    """The network written out from the paper, without in-place operations."""

    def run(x, net):
        t = net.training
        x = naive_norm(
            F.conv2d(x, net.conv1.weight, padding=1), net.norm1, t).relu()
        outputs = []
        for index, stage in enumerate((net.layer1, net.layer2, net.layer3)):
            for number, b in enumerate(stage):
                stride = 2 if index > 0 and number == 0 else 1
                convs = [b.conv1, b.conv2] + (
                    [b.conv3] if block == 'bottleneck' else [])
                norms = [b.norm1, b.norm2] + (
                    [b.norm3] if block == 'bottleneck' else [])
                strided = 1 if block == 'bottleneck' else 0
                y = x
                for i, (conv, norm) in enumerate(
                        zip(convs, norms, strict=True)):
                    y = F.conv2d(
                        y, conv.weight,
                        stride=stride if i == strided else 1,
                        padding=conv.weight.shape[-1] // 2)
                    y = naive_norm(y, norm, t)
                    y = y.relu() if i < len(convs) - 1 else y
                short = naive_shortcut(x, b, stride, y.shape[1], option, pad,
                                       t)
                x = (y + short).relu()
            outputs.append(x)
        return outputs

    return run


@pytest.mark.parametrize('training', [True, False])
@pytest.mark.parametrize('block, option, pad', [
    ('basic', 'A', 'symmetric'),
    ('basic', 'A', 'end'),
    ('basic', 'B', 'symmetric'),
    ('bottleneck', 'A', 'symmetric'),
    ('bottleneck', 'B', 'end'),
])
def test_values_and_gradients(build, randomise, same_gradients, training,
                              block, option, pad):
    net = build(
        'CIFARResNet',
        depth=14 if block == 'basic' else 20,
        block=block,
        shortcut=option,
        pad=pad,
        base_channels=4,
        out_indices=(0, 1, 2))
    net = randomise(net.double()).train(training)
    x = torch.randn(3, 3, 9, 8, dtype=torch.double)
    same_gradients(net, naive_resnet(option, pad, block), x)


@pytest.mark.parametrize('conv_init, fan', [('kaiming_fan_in', 1),
                                            ('fan_out', 0)])
def test_initial_weights(build, conv_init, fan):
    net = build(
        'CIFARResNet', depth=8, base_channels=64, conv_init=conv_init)
    net.norm1.weight.data.fill_(5)
    net.init_weights()
    weight = net.layer2[0].conv1.weight
    expected = (2 / (9 * weight.shape[fan]))**0.5
    assert weight.shape[0] != weight.shape[1]
    assert weight.std().item() == pytest.approx(expected, rel=0.02)
    assert weight.mean().item() == pytest.approx(0, abs=0.05 * expected)
    # Normal, not uniform: a uniform law ends at 1.73 deviations.
    assert weight.abs().max() > 3 * expected
    assert net.norm1.weight.eq(1).all() and net.norm1.bias.eq(0).all()


@pytest.mark.parametrize('block, depth, message', [
    ('basic', 33, r'6n\+2.*depth=33.*32 or 38'),
    ('basic', 164 + 1, r'depth=165.*164 or 170'),
    ('bottleneck', 32, r'9n\+2.*depth=32.*29 or 38'),
    ('basic', 2, r'depth=2.*valid: 8\.'),
])
def test_depth_that_does_not_fit(build, block, depth, message):
    with pytest.raises(ValueError, match=message):
        build('CIFARResNet', depth=depth, block=block)


@pytest.mark.parametrize('bad', [
    dict(block='Basic'),
    dict(shortcut='C'),
    dict(pad='both'),
    dict(conv_init='xavier'),
    dict(out_indices=(0, 3)),
    dict(out_indices=()),
    dict(out_indices=(-1, )),
    dict(frozen_stages=4),
])
def test_unknown_switch_values(build, bad):
    with pytest.raises(ValueError, match='must be one of .* got'):
        build('CIFARResNet', depth=8, **bad)
