"""What the three-stage networks for small images have in common."""
from __future__ import annotations

from collections.abc import Sequence

import torch.nn as nn
from mmcv.cnn import build_norm_layer
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

NUM_STAGES = 3


def blocks_per_stage(name: str, depth: int, step: int, offset: int) -> int:
    """Number of blocks a stage, n, of a network of ``step * n + offset``.

    Args:
        name (str): Who asks, for the message.
        depth (int): Number of weighted layers of the whole network.
        step (int): Layers that one more block in every stage adds.
        offset (int): Layers outside the blocks.

    Returns:
        int: Blocks in each of the three stages, at least 1.

    Raises:
        ValueError: If no n gives ``depth``; the nearest valid depths are
            named.
    """
    blocks, rest = divmod(depth - offset, step)
    if blocks >= 1 and rest == 0:
        return blocks
    below = max(blocks, 1) * step + offset
    near = f'{below} or {below + step}' if blocks >= 1 else f'{below}'
    raise ValueError(
        f'{name} needs depth = {step}n+{offset} with n >= 1, got '
        f'depth={depth}. Nearest valid: {near}.')


def check_choice(name: str, value: object, allowed: Sequence) -> None:
    """Raise a ValueError that lists ``allowed`` unless it holds ``value``."""
    if value not in allowed:
        raise ValueError(
            f'{name} must be one of {list(allowed)}, got {value!r}.')


def build_norm(norm_cfg: dict, channels: int) -> nn.Module:
    """Build a norm layer under a fixed name, whatever its type."""
    return build_norm_layer(norm_cfg, channels)[1]


def conv3x3(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    """Return a padded 3x3 convolution without bias."""
    return nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)


def conv_init_cfg(conv_init: str) -> list[dict]:
    r"""Return the init_cfg of convolutions and norm layers.

    Args:
        conv_init (str): ``'kaiming_fan_in'``:
            :math:`N(0, \sqrt{2 / (k^2 C_{in}}))`; ``'fan_out'``:
            :math:`N(0, \sqrt{2 / (k^2 C_{out}}))`.

    Returns:
        list[dict]: Initialisers; norm layers start at weight 1, bias 0.

    Raises:
        ValueError: If ``conv_init`` is neither.
    """
    check_choice('conv_init', conv_init, ('kaiming_fan_in', 'fan_out'))
    mode = 'fan_in' if conv_init == 'kaiming_fan_in' else 'fan_out'
    return [
        dict(type='Kaiming', layer='Conv2d', mode=mode, nonlinearity='relu'),
        dict(type='Constant', layer=['_BatchNorm', 'GroupNorm'], val=1.0)
    ]


def run_tapped(stage: nn.Sequential, x: Tensor) -> tuple[Tensor, Tensor]:
    """Run a stage of pre-activation blocks and show what its first one reads.

    The norm layer in question runs once, so that its running statistics move
    as they do without a tap.

    Args:
        stage (nn.Sequential): Blocks with ``pre_activation`` and
            ``residual``.
        x (Tensor): Input of the stage, (N, C, H, W).

    Returns:
        tuple[Tensor, Tensor]: The stage's output, and what the first block's
        first convolution has read, (N, C, H, W).
    """
    first, *others = stage
    active = first.pre_activation(x)
    x = first.residual(x, active)
    for block in others:
        x = block(x)
    return x, active


class StagedBackbone(BaseBackbone):
    """Base of networks with a stem and the stages ``layer1`` to ``layer3``.

    A subclass names what belongs to the stem in :attr:`stem_names` and what
    follows the last stage in :attr:`tail_names`, and calls
    :meth:`_freeze_stages` at the end of its ``__init__``.

    Args:
        out_indices (Sequence[int] | int): Stages to return, from 0 to 2.
        frozen_stages (int): The stem (0) and the stages up to this one
            (1 to 3) are not trained and keep their running statistics; -1
            freezes nothing. 3 also freezes what follows the last stage.
        norm_eval (bool): Whether batch norm keeps its running statistics in
            training too.
        init_cfg (dict | list[dict] | None): As in every host module.

    Raises:
        ValueError: If a stage does not exist.
    """

    stem_names: tuple[str, ...] = ('conv1', 'norm1')
    tail_names: tuple[str, ...] = ()

    def __init__(self,
                 out_indices: Sequence[int] | int,
                 frozen_stages: int,
                 norm_eval: bool,
                 init_cfg: dict | list[dict] | None) -> None:
        super().__init__(init_cfg)
        if isinstance(out_indices, int):
            out_indices = (out_indices, )
        self.out_indices = tuple(out_indices)
        for index in self.out_indices or (None, ):
            check_choice('Each of out_indices', index, range(NUM_STAGES))
        check_choice('frozen_stages', frozen_stages, range(-1, NUM_STAGES + 1))
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval

    def _freeze_stages(self) -> None:
        if self.frozen_stages < 0:
            return
        names = [f'layer{i + 1}' for i in range(self.frozen_stages)]
        names += self.stem_names
        if self.frozen_stages == NUM_STAGES:
            names += self.tail_names
        for name in names:
            getattr(self, name).eval().requires_grad_(False)

    def train(self, mode: bool = True) -> StagedBackbone:
        """Set the mode; frozen parts and ``norm_eval`` stay in eval mode."""
        super().train(mode)
        if mode:
            self._freeze_stages()
            if self.norm_eval:
                for module in self.modules():
                    if isinstance(module, _BatchNorm):
                        module.eval()
        return self


class PreActivationBackbone(StagedBackbone):
    """Base of networks whose blocks begin with a norm layer.

    A subclass sets :attr:`tap` and says what precedes the stages, what an
    activated tap shows and what follows the last stage.
    """

    tap: str

    def stem(self, x: Tensor) -> Tensor:
        """Return what the first stage reads."""
        raise NotImplementedError

    def shown(self, read: Tensor) -> Tensor:
        """Return an activated tap of what a stage's first block has read."""
        return read

    def tail(self, x: Tensor) -> Tensor:
        """Return the activated output of the last stage."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the maps of the stages in ``out_indices``, in their order."""
        x = self.stem(x)
        raw, read = [], []
        for stage in (self.layer1, self.layer2, self.layer3):
            if self.tap == 'raw':
                x = stage(x)
                raw.append(x)
            else:
                x, active = run_tapped(stage, x)
                read.append(self.shown(active))
        # The last stage is always activated.
        maps = [*raw[:2], *read[1:], self.tail(x)]
        return tuple(maps[i] for i in self.out_indices)
