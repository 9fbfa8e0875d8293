"""Wide pre-activation ResNets for small images."""
from __future__ import annotations

from collections.abc import Sequence

import torch.nn as nn
import torch.nn.functional as F
from mmcv.cnn import build_activation_layer
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


class WideBlock(nn.Module):
    """BN-act-conv3x3-BN-act-dropout-conv3x3, plus shortcut.

    Args:
        inputs (int): Input channels.
        outputs (int): Channels of both convolutions.
        stride (int): Stride of the first convolution.
        shared (bool): Whether a 1x1 shortcut reads what the first
            convolution reads; if not, it reads the block's raw input.
        dropout (float): Probability of zeroing, in [0, 1).
        norm_cfg (dict): Norm layer config.
        act_cfg (dict): Activation config.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, shared: bool,
                 dropout: float, norm_cfg: dict, act_cfg: dict) -> None:
        super().__init__()
        self.norm1 = build_norm(norm_cfg, inputs)
        self.act = build_activation_layer(act_cfg)
        self.conv1 = conv3x3(inputs, outputs, stride)
        self.norm2 = build_norm(norm_cfg, outputs)
        self.conv2 = conv3x3(outputs, outputs)
        self.dropout = dropout
        self.shared = shared
        self.shortcut = None
        if inputs != outputs or stride != 1:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def pre_activation(self, x: Tensor) -> Tensor:
        """Return the first convolution's input; ``x`` is left as it is."""
        return self.act(self.norm1(x))

    def residual(self, x: Tensor, active: Tensor) -> Tensor:
        """Return the sum, given ``x`` and its :meth:`pre_activation`."""
        out = self.act(self.norm2(self.conv1(active)))
        if self.dropout > 0:
            out = F.dropout(out, self.dropout, self.training)
        out = self.conv2(out)
        if self.shortcut is not None:
            x = self.shortcut(active if self.shared else x)
        # A convolution's backward does not read its output.
        out += x
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output; ``x`` is left as it is."""
        return self.residual(x, self.pre_activation(x))


@MODELS.register_module()
class WideResNet(PreActivationBackbone):
    """Wide ResNet of depth 6n+4 for 32x32 images: WRN-depth-widen_factor.

    Paper: Wide Residual Networks, table 1. A 3x3 convolution to 16 channels,
    three groups of n pre-activation blocks with 16k, 32k and 64k channels
    and strides 1, 2 and 2, then BN and activation. No pooling and no
    classifier.

    Note:
        Spec C.1 and E.1. The TensorFlow FixMatch code shares the activated
        input with the shortcut in the first group alone
        (``shared_act='first'``), the common PyTorch code in all of them.
        What the first convolution of a block reads is always activated:
        some ports feed it the raw input there and discard the first norm
        layer's output, which is not offered. Batch norm's momentum and
        epsilon are ``norm_cfg``'s (0.001 and 1e-3 in FixMatch).

    Args:
        depth (int): 6n+4.
        widen_factor (int): k.
        dropout (float): Probability of zeroing between the convolutions of a
            block, in [0, 1). Defaults to 0.0.
        shared_act (str): Whose 1x1 shortcuts read the activated input:
            ``'all'``, or ``'first'``, that of the first group alone, while
            those of the others read the raw input. Defaults to ``'all'``.
        tap (str): What an intermediate stage returns: ``'raw'``, the sum, or
            ``'bnrelu'``, what the next group's first convolution reads (no
            parameter is added). Defaults to ``'raw'``.
        in_channels (int): Channels of the images. Defaults to 3.
        out_indices (Sequence[int] | int): Stages to return, from 0 to 2.
            Defaults to ``(2, )``.
        norm_cfg (dict): Norm layer config. Defaults to ``dict(type='BN')``.
        act_cfg (dict): Activation config. Defaults to ``dict(type='ReLU')``;
            FixMatch: ``dict(type='LeakyReLU', negative_slope=0.1)``.
        stem_stride (int): Stride of the first convolution. Defaults to 1.
        frozen_stages (int): The stem (0) and the groups up to this one (1 to
            3) are not trained; -1 freezes nothing. Defaults to -1.
        norm_eval (bool): Whether batch norm keeps its running statistics in
            training too. Defaults to False.
        init_cfg (dict | list[dict] | None): Defaults to None:
            N(0, sqrt(2 / (k^2 C_out))) for convolutions, 1 and 0 for BN.

    Shape:
        - Input: (N, in_channels, H, W), floating point.
        - Output: tuple over ``out_indices`` of (N, C, h, w); at 32x32 and
          k = 10: 160x32x32, 320x16x16, 640x8x8, the last one activated.

    Raises:
        ValueError: If depth is not 6n+4, dropout is outside [0, 1), or a
            switch has a value that is not listed above.

    Example:
        >>> backbone = dict(
        ...     type='gssl_mm.WideResNet', depth=28, widen_factor=10,
        ...     dropout=0.3, out_indices=(1, 2))
        >>> backbone = dict(
        ...     type='gssl_mm.WideResNet', depth=28, widen_factor=2,
        ...     shared_act='first',
        ...     norm_cfg=dict(type='BN', momentum=0.001, eps=1e-3),
        ...     act_cfg=dict(type='LeakyReLU', negative_slope=0.1))
    """

    stem_names = ('conv1', )
    tail_names = ('norm', )

    def __init__(self,
                 depth: int,
                 widen_factor: int = 1,
                 dropout: float = 0.0,
                 shared_act: str = 'all',
                 tap: str = 'raw',
                 in_channels: int = 3,
                 out_indices: Sequence[int] | int = (2, ),
                 norm_cfg: dict | None = None,
                 act_cfg: dict | None = None,
                 stem_stride: int = 1,
                 frozen_stages: int = -1,
                 norm_eval: bool = False,
                 init_cfg: dict | list[dict] | None = None) -> None:
        super().__init__(
            out_indices, frozen_stages, norm_eval,
            conv_init_cfg('fan_out') if init_cfg is None else init_cfg)
        check_choice('shared_act', shared_act, ('all', 'first'))
        check_choice('tap', tap, ('raw', 'bnrelu'))
        if not 0 <= dropout < 1:
            raise ValueError(
                f'dropout must be a probability in [0, 1), got {dropout}.')
        blocks = blocks_per_stage('WideResNet', depth, 6, 4)
        self.depth, self.widen_factor = depth, widen_factor
        self.shared_act, self.tap, self.dropout = shared_act, tap, dropout
        self.norm_cfg = dict(type='BN') if norm_cfg is None else norm_cfg
        self.act_cfg = dict(type='ReLU') if act_cfg is None else act_cfg

        self.conv1 = conv3x3(in_channels, 16, stem_stride)
        channels = 16
        for i in range(NUM_STAGES):
            width = 16 * widen_factor * 2**i
            self.add_module(f'layer{i + 1}',
                            self._make_stage(channels, width, blocks, i))
            channels = width
        self.norm = build_norm(self.norm_cfg, channels)
        self.act = build_activation_layer(self.act_cfg)
        self.feat_dim = channels
        self._freeze_stages()

    def _make_stage(self, inputs: int, width: int, blocks: int,
                    index: int) -> Sequential:
        shared = self.shared_act == 'all' or index == 0
        stride = 1 if index == 0 else 2
        layers = []
        for _ in range(blocks):
            layers.append(
                WideBlock(inputs, width, stride, shared, self.dropout,
                          self.norm_cfg, self.act_cfg))
            inputs, stride = width, 1
        return Sequential(*layers)

    def stem(self, x: Tensor) -> Tensor:
        """Return what the first group reads."""
        return self.conv1(x)

    def tail(self, x: Tensor) -> Tensor:
        """Return the activated output of the last group."""
        return self.act(self.norm(x))
