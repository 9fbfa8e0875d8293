"""ResNets for small images: three stages of 16, 32 and 64 channels."""
from __future__ import annotations

from collections.abc import Sequence

import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import Sequential
from torch import Tensor

from gssl_mm.registry import MODELS

from .staged_backbone import (
    NUM_STAGES,
    StagedBackbone,
    blocks_per_stage,
    build_norm,
    check_choice,
    conv3x3,
    conv_init_cfg,
)


class PadShortcut(nn.Module):
    """Option A: every ``stride``-th row and column, zero channels around.

    Args:
        stride (int): Step of the subsampling.
        before (int): Zero channels put before the input's.
        after (int): Zero channels put after the input's.

    Shape:
        - Input: (N, C, H, W).
        - Output: (N, before + C + after, ceil(H / stride),
          ceil(W / stride)).
    """

    def __init__(self, stride: int, before: int, after: int) -> None:
        super().__init__()
        self.stride = stride
        self.pad = (0, 0, 0, 0, before, after)

    def forward(self, x: Tensor) -> Tensor:
        """Subsample and pad."""
        if self.stride > 1:
            # A mean over one pixel: unlike indexing, it keeps the gradient
            # in the memory order of the map, and what follows fast
            x = F.avg_pool2d(x, 1, self.stride)
        return F.pad(x, self.pad)

    def extra_repr(self) -> str:
        """Show the subsampling and the channels added."""
        return f'stride={self.stride}, channels={self.pad[4:]}'


class BasicBlock(nn.Module):
    """conv3x3-BN-ReLU-conv3x3-BN, plus shortcut, ReLU.

    Args:
        inputs (int): Input channels.
        width (int): Channels of the convolutions.
        stride (int): Stride of the first convolution.
        shortcut (nn.Module): What the input passes on its way to the sum.
        norm_cfg (dict): Norm layer config.
    """

    expansion = 1
    layers = 2

    def __init__(self, inputs: int, width: int, stride: int,
                 shortcut: nn.Module, norm_cfg: dict) -> None:
        super().__init__()
        self.conv1 = conv3x3(inputs, width, stride)
        self.norm1 = build_norm(norm_cfg, width)
        self.conv2 = conv3x3(width, width)
        self.norm2 = build_norm(norm_cfg, width)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output; ``x`` is left as it is."""
        out = F.relu(self.norm1(self.conv1(x)), inplace=True)
        out = self.norm2(self.conv2(out))
        # A norm layer's backward does not read its output.
        out += self.shortcut(x)
        return F.relu(out, inplace=True)


class Bottleneck(nn.Module):
    """conv1x1-BN-ReLU-conv3x3-BN-ReLU-conv1x1-BN, plus shortcut, ReLU.

    Args:
        inputs (int): Input channels.
        width (int): Channels of the first two convolutions; the third has
            four times as many.
        stride (int): Stride of the 3x3 convolution.
        shortcut (nn.Module): What the input passes on its way to the sum.
        norm_cfg (dict): Norm layer config.
    """

    expansion = 4
    layers = 3

    def __init__(self, inputs: int, width: int, stride: int,
                 shortcut: nn.Module, norm_cfg: dict) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.norm1 = build_norm(norm_cfg, width)
        self.conv2 = conv3x3(width, width, stride)
        self.norm2 = build_norm(norm_cfg, width)
        self.conv3 = nn.Conv2d(width, width * 4, 1, bias=False)
        self.norm3 = build_norm(norm_cfg, width * 4)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output; ``x`` is left as it is."""
        out = F.relu(self.norm1(self.conv1(x)), inplace=True)
        out = F.relu(self.norm2(self.conv2(out)), inplace=True)
        out = self.norm3(self.conv3(out))
        out += self.shortcut(x)
        return F.relu(out, inplace=True)


BLOCKS = dict(basic=BasicBlock, bottleneck=Bottleneck)


@MODELS.register_module()
class CIFARResNet(StagedBackbone):
    """ResNet of depth 6n+2 (basic) or 9n+2 (bottleneck) for 32x32 images.

    Paper: Deep Residual Learning for Image Recognition, section 4.2. A 3x3
    convolution, three stages of n post-activation blocks with widths w, 2w
    and 4w and strides 1, 2 and 2. No pooling and no classifier.

    Note:
        Spec B.3: the long-tailed recipes use ResNet-32 with ``shortcut='A'``
        and ``pad='symmetric'``; the released self-supervised label
        augmentation puts the zero channels at the end. Spec D19: feature
        masks use bottlenecks with ``shortcut='B'`` and
        ``conv_init='fan_out'``.

    Args:
        depth (int): 6n+2 for basic blocks, 9n+2 for bottlenecks.
        block (str): ``'basic'`` or ``'bottleneck'`` (outputs are four times
            as wide). Defaults to ``'basic'``.
        shortcut (str): Where the shape changes: ``'A'``, without parameters,
            takes every second row and column and adds zero channels; ``'B'``
            is a 1x1 convolution and a norm layer. Defaults to ``'A'``.
        pad (str): Zero channels of option A: ``'symmetric'``, half of them
            before and half after, or ``'end'``. Defaults to ``'symmetric'``.
        base_channels (int): w, the stem's and the first stage's width.
            Defaults to 16.
        in_channels (int): Channels of the images. Defaults to 3.
        out_indices (Sequence[int] | int): Stages to return, from 0 to 2.
            Defaults to ``(2, )``.
        norm_cfg (dict): Norm layer config. Defaults to ``dict(type='BN')``.
        conv_init (str): Convolution weights: ``'kaiming_fan_in'``,
            N(0, sqrt(2 / (k^2 C_in))), or ``'fan_out'``,
            N(0, sqrt(2 / (k^2 C_out))). Defaults to ``'kaiming_fan_in'``.
        stem_stride (int): Stride of the first convolution. Defaults to 1.
        frozen_stages (int): The stem (0) and the stages up to this one (1 to
            3) are not trained; -1 freezes nothing. Defaults to -1.
        norm_eval (bool): Whether batch norm keeps its running statistics in
            training too. Defaults to False.
        init_cfg (dict | list[dict] | None): Replaces what ``conv_init``
            says, for instance by a ``Pretrained`` file. Defaults to None.

    Shape:
        - Input: (N, in_channels, H, W), floating point.
        - Output: tuple over ``out_indices`` of (N, C, h, w), not negative;
          at 32x32 and w = 16: 16x32x32, 32x16x16, 64x8x8 (C times 4 for
          bottlenecks).

    Raises:
        ValueError: If depth does not fit the block, or a switch has a value
            that is not listed above.

    Example:
        >>> backbone = dict(type='gssl_mm.CIFARResNet', depth=32)
        >>> backbone = dict(
        ...     type='gssl_mm.CIFARResNet', depth=110, block='bottleneck',
        ...     shortcut='B', conv_init='fan_out', out_indices=(1, 2))
    """

    def __init__(self,
                 depth: int,
                 block: str = 'basic',
                 shortcut: str = 'A',
                 pad: str = 'symmetric',
                 base_channels: int = 16,
                 in_channels: int = 3,
                 out_indices: Sequence[int] | int = (2, ),
                 norm_cfg: dict | None = None,
                 conv_init: str = 'kaiming_fan_in',
                 stem_stride: int = 1,
                 frozen_stages: int = -1,
                 norm_eval: bool = False,
                 init_cfg: dict | list[dict] | None = None) -> None:
        default_init = conv_init_cfg(conv_init)
        super().__init__(out_indices, frozen_stages, norm_eval,
                         default_init if init_cfg is None else init_cfg)
        check_choice('block', block, tuple(BLOCKS))
        check_choice('shortcut', shortcut, ('A', 'B'))
        check_choice('pad', pad, ('symmetric', 'end'))
        self.depth = depth
        self.block = BLOCKS[block]
        self.shortcut, self.pad = shortcut, pad
        self.norm_cfg = dict(type='BN') if norm_cfg is None else norm_cfg
        blocks = blocks_per_stage(f'CIFARResNet with {block} blocks', depth,
                                  3 * self.block.layers, 2)

        self.conv1 = conv3x3(in_channels, base_channels, stem_stride)
        self.norm1 = build_norm(self.norm_cfg, base_channels)
        channels = base_channels
        for i in range(NUM_STAGES):
            width = base_channels * 2**i
            stage = self._make_stage(channels, width, blocks, min(i + 1, 2))
            self.add_module(f'layer{i + 1}', stage)
            channels = width * self.block.expansion
        self.feat_dim = channels
        self._freeze_stages()

    def _make_stage(self, inputs: int, width: int, blocks: int,
                    stride: int) -> Sequential:
        layers = []
        for _ in range(blocks):
            short = self._make_shortcut(inputs, width, stride)
            layers.append(
                self.block(inputs, width, stride, short, self.norm_cfg))
            inputs, stride = width * self.block.expansion, 1
        return Sequential(*layers)

    def _make_shortcut(self, inputs: int, width: int,
                       stride: int) -> nn.Module:
        extra = width * self.block.expansion - inputs
        if extra == 0 and stride == 1:
            return nn.Identity()
        if self.shortcut == 'A':
            before = extra // 2 if self.pad == 'symmetric' else 0
            return PadShortcut(stride, before, extra - before)
        return nn.Sequential(
            nn.Conv2d(inputs, inputs + extra, 1, stride, bias=False),
            build_norm(self.norm_cfg, inputs + extra))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the maps of the stages in ``out_indices``, in their order."""
        x = F.relu(self.norm1(self.conv1(x)), inplace=True)
        maps = []
        for stage in (self.layer1, self.layer2, self.layer3):
            x = stage(x)
            maps.append(x)
        return tuple(maps[i] for i in self.out_indices)
