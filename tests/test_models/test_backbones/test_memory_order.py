"""Gradients stay in the memory order of the maps."""
import pytest
import torch
import torch.nn.functional as F

from gssl_mm.models.backbones import CIFARResNet
from gssl_mm.models.backbones.cifar_resnet import PadShortcut

LAST = torch.channels_last


@pytest.mark.parametrize('size', [8, 7])
def test_shortcut_takes_every_second_pixel(size):
    x = torch.randn(2, 4, size, size, requires_grad=True)
    got = PadShortcut(2, 1, 3)(x)
    want = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 1, 3))
    assert torch.equal(got, want)
    weight = torch.randn_like(got)
    grads = [torch.autograd.grad((y * weight).sum(), x)[0]
             for y in (got, want)]
    assert torch.equal(*grads)


def test_every_gradient_of_a_channels_last_net_is_channels_last():
    net = CIFARResNet(depth=8, base_channels=4).to(memory_format=LAST)
    orders = []

    def watch(module, inputs, output):
        output.register_hook(
            lambda grad: orders.append(grad.is_contiguous(memory_format=LAST)))

    # Pooling hands the last block a gradient in the other order
    for block in (*net.layer1, *net.layer2):
        block.register_forward_hook(watch)
    for block in (*net.layer1, *net.layer2, *net.layer3):
        block.shortcut.register_forward_hook(watch)
    images = torch.randn(2, 3, 16, 16).contiguous(memory_format=LAST)
    F.adaptive_avg_pool2d(net(images)[0], 1).square().sum().backward()
    assert len(orders) == 5 and all(orders)
