"""Pyramidal ResNets: every block is a little wider than the one before."""
from __future__ import annotations

from collections.abc import Sequence

import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import Sequential
from torch import Tensor

from gssl_mm.registry import MODELS

from .staged_backbone import (
    NUM_STAGES,
    PreActivationBackbone,
    blocks_per_stage,
    build_norm,
    check_choice,
    conv3x3,
    conv_init_cfg,
)


def pyramid_widths(alpha: float, num_blocks: int) -> list[int]:
    """Width of every block: 16 + alpha * k / num_blocks, rounded.

    Note:
        The step is added to the unrounded width of the block before, block
        by block, as the released code does: a product can round otherwise.

    Args:
        alpha (float): Channels gained over the whole network.
        num_blocks (int): Blocks of the network, k = 1 ... num_blocks.

    Returns:
        list[int]: Widths, halves rounded to even.
    """
    width, widths = 16.0, []
    for _ in range(num_blocks):
        width += alpha / num_blocks
        widths.append(round(width))
    return widths


class PyramidBlock(nn.Module):
    """BN-conv-BN-ReLU-conv-BN plus shortcut, without ReLU on input or sum.

    The shortcut is the input, average-pooled 2x2 where the stride is 2, with
    zero channels after its own.

    Args:
        inputs (int): Input channels.
        width (int): Channels of the convolutions.
        stride (int): 1 or 2.
        norm_cfg (dict): Norm layer config.
    """

    expansion = 1
    layers = 2

    def __init__(self, inputs: int, width: int, stride: int,
                 norm_cfg: dict) -> None:
        super().__init__()
        self.norm1 = build_norm(norm_cfg, inputs)
        self.stride = stride
        self.extra = width * self.expansion - inputs
        self._make_convs(inputs, width, norm_cfg)

    def _make_convs(self, inputs: int, width: int, norm_cfg: dict) -> None:
        self.conv1 = conv3x3(inputs, width, self.stride)
        self.norm2 = build_norm(norm_cfg, width)
        self.conv2 = conv3x3(width, width)
        self.norm3 = build_norm(norm_cfg, width)

    def branch(self, normed: Tensor) -> Tensor:
        """Return what is added to the shortcut, from the normed input."""
        out = self.norm2(self.conv1(normed))
        return self.norm3(self.conv2(F.relu(out, inplace=True)))

    def pre_activation(self, x: Tensor) -> Tensor:
        """Return the first convolution's input; ``x`` is left as it is."""
        return self.norm1(x)

    def residual(self, x: Tensor, normed: Tensor) -> Tensor:
        """Return the sum, given ``x`` and its :meth:`pre_activation`."""
        out = self.branch(normed)
        if self.stride == 2:
            x = F.avg_pool2d(x, 2, ceil_mode=True)
        if self.extra > 0:
            x = F.pad(x, (0, 0, 0, 0, 0, self.extra))
        # A norm layer's backward does not read its output.
        out += x
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output; ``x`` is left as it is."""
        return self.residual(x, self.pre_activation(x))


class PyramidBottleneck(PyramidBlock):
    """BN-conv1x1-BN-ReLU-conv3x3-BN-ReLU-conv1x1-BN plus shortcut.

    The last convolution has four times ``width`` channels; arguments as for
    :class:`PyramidBlock`.
    """

    expansion = 4
    layers = 3

    def _make_convs(self, inputs: int, width: int, norm_cfg: dict) -> None:
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.norm2 = build_norm(norm_cfg, width)
        self.conv2 = conv3x3(width, width, self.stride)
        self.norm3 = build_norm(norm_cfg, width)
        self.conv3 = nn.Conv2d(width, width * 4, 1, bias=False)
        self.norm4 = build_norm(norm_cfg, width * 4)

    def branch(self, normed: Tensor) -> Tensor:
        """Return what is added to the shortcut, from the normed input."""
        out = F.relu(self.norm2(self.conv1(normed)), inplace=True)
        out = F.relu(self.norm3(self.conv2(out)), inplace=True)
        return self.norm4(self.conv3(out))


BLOCKS = dict(basic=PyramidBlock, bottleneck=PyramidBottleneck)


@MODELS.register_module()
class PyramidNet(PreActivationBackbone):
    """Additive PyramidNet of depth 6n+2 (basic) or 9n+2 (bottleneck).

    Paper: Deep Pyramidal Residual Networks, equation 3 and figure 6d. A 3x3
    convolution to 16 channels and BN, three stages of n blocks with strides
    1, 2 and 2 whose widths grow by alpha / 3n a block, then BN and ReLU. No
    pooling and no classifier.

    Note:
        Spec G.5: the feature-mask paper does not name the block; basic
        blocks give the 28.5 M parameters of depth 110 and alpha 270.

    Args:
        depth (int): 6n+2 for basic blocks, 9n+2 for bottlenecks. Defaults to
            110.
        alpha (float): Channels gained over the whole network, 0 or more.
            Defaults to 270.
        block (str): ``'basic'`` or ``'bottleneck'`` (outputs are four times
            as wide). Defaults to ``'basic'``.
        tap (str): What an intermediate stage returns: ``'raw'``, the sum, or
            ``'bnrelu'``, the ReLU of the next stage's first norm layer (no
            parameter is added). Defaults to ``'raw'``.
        in_channels (int): Channels of the images. Defaults to 3.
        out_indices (Sequence[int] | int): Stages to return, from 0 to 2.
            Defaults to ``(2, )``.
        norm_cfg (dict): Norm layer config. Defaults to ``dict(type='BN')``.
        stem_stride (int): Stride of the first convolution. Defaults to 1.
        frozen_stages (int): The stem (0) and the stages up to this one (1 to
            3) are not trained; -1 freezes nothing. Defaults to -1.
        norm_eval (bool): Whether batch norm keeps its running statistics in
            training too. Defaults to False.
        init_cfg (dict | list[dict] | None): Defaults to None:
            N(0, sqrt(2 / (k^2 C_out))) for convolutions, 1 and 0 for BN.

    Shape:
        - Input: (N, in_channels, H, W), floating point.
        - Output: tuple over ``out_indices`` of (N, C, h, w); at 32x32 and
          the defaults: 106x32x32, 196x16x16, 286x8x8, the last one
          activated.

    Raises:
        ValueError: If depth does not fit the block, alpha is negative, or a
            switch has a value that is not listed above.

    Example:
        >>> backbone = dict(
        ...     type='gssl_mm.PyramidNet', depth=110, alpha=270,
        ...     out_indices=(1, 2))
    """

    tail_names = ('norm', )

    def __init__(self,
                 depth: int = 110,
                 alpha: float = 270,
                 block: str = 'basic',
                 tap: str = 'raw',
                 in_channels: int = 3,
                 out_indices: Sequence[int] | int = (2, ),
                 norm_cfg: dict | None = None,
                 stem_stride: int = 1,
                 frozen_stages: int = -1,
                 norm_eval: bool = False,
                 init_cfg: dict | list[dict] | None = None) -> None:
        super().__init__(
            out_indices, frozen_stages, norm_eval,
            conv_init_cfg('fan_out') if init_cfg is None else init_cfg)
        check_choice('block', block, tuple(BLOCKS))
        check_choice('tap', tap, ('raw', 'bnrelu'))
        if alpha < 0:
            raise ValueError(
                f'alpha, the channels gained, must be >= 0, got {alpha}.')
        self.block, self.tap = BLOCKS[block], tap
        blocks = blocks_per_stage(f'PyramidNet with {block} blocks', depth,
                                  3 * self.block.layers, 2)
        self.depth, self.alpha = depth, alpha
        self.norm_cfg = dict(type='BN') if norm_cfg is None else norm_cfg
        self.widths = pyramid_widths(alpha, NUM_STAGES * blocks)

        self.conv1 = conv3x3(in_channels, 16, stem_stride)
        self.norm1 = build_norm(self.norm_cfg, 16)
        channels = 16
        for i in range(NUM_STAGES):
            widths = self.widths[i * blocks:(i + 1) * blocks]
            stage = self._make_stage(channels, widths, min(i + 1, 2))
            self.add_module(f'layer{i + 1}', stage)
            channels = widths[-1] * self.block.expansion
        self.norm = build_norm(self.norm_cfg, channels)
        self.feat_dim = channels
        self._freeze_stages()

    def _make_stage(self, inputs: int, widths: list[int],
                    stride: int) -> Sequential:
        layers = []
        for width in widths:
            layers.append(self.block(inputs, width, stride, self.norm_cfg))
            inputs, stride = width * self.block.expansion, 1
        return Sequential(*layers)

    def stem(self, x: Tensor) -> Tensor:
        """Return what the first stage reads."""
        return self.norm1(self.conv1(x))

    def shown(self, read: Tensor) -> Tensor:
        """Return the normed input of a stage after ReLU."""
        # Not in place: a convolution has read it without ReLU.
        return F.relu(read)

    def tail(self, x: Tensor) -> Tensor:
        """Return the activated output of the last stage."""
        return F.relu(self.norm(x), inplace=True)
