"""Backbones that process several views of an image: wrappers of any other."""
import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from gssl_mm.registry import MODELS

from ..necks.errors import MapSizeError, StageIndexError
from ..necks.feature_masks import mask_grids, stack_masked

NUM_TURNS = 4


def _build(backbone: dict | nn.Module) -> nn.Module:
    return backbone if isinstance(backbone, nn.Module) else MODELS.build(
        backbone)


@MODELS.register_module()
class RotatedBackbone(BaseModule):
    """Run a backbone on the four rotations of each image (SLA).

    Paper: Self-supervised Label Augmentation via Input Transformations,
    section 3. To be followed by ``FeatureMaskNeck(stacked=4, masks=None)`` and
    a ``JointLabelHead(num_rotations=4, num_masks=0)``.

    Args:
        backbone (dict): Config of a backbone.
        init_cfg (dict, optional): Initialisation config of MMEngine.

    Shape:
        - images: ``(N, C, S, S)``.
        - returns: tuple of maps ``(4 N, ...)``, row ``4 n + k`` is image n
          after k counter-clockwise quarter turns.

    Raises:
        MapSizeError: If images are not square.

    Example:
        >>> from gssl_mm.registry import MODELS
        >>> backbone = MODELS.build(dict(
        ...     type='gssl_mm.RotatedBackbone',
        ...     backbone=dict(type='gssl_mm.CIFARResNet', depth=8)))
    """

    num_views = NUM_TURNS

    def __init__(self, backbone: dict | nn.Module,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.backbone = _build(backbone)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the maps of all rotations."""
        height, width = images.shape[2:]
        if height != width:
            raise MapSizeError(
                f'quarter turns need square images, but got {height}x{width}. '
                'Crop them to a square')
        turned = torch.stack(
            [images.rot90(k, (2, 3)) for k in range(NUM_TURNS)], 1)
        return self.backbone(turned.flatten(0, 1).contiguous(
            memory_format=_format_of(images)))


@MODELS.register_module()
class StageMaskBackbone(BaseModule):
    """Mask the maps between two stages of a backbone.

    Paper: Self-supervision of Feature Transformation for Further Improving
    Supervised Learning, table 5, "transform after stage i". The T + 1 maps of
    an image go on through the remaining stages as samples of their own. To be
    followed by ``FeatureMaskNeck(stacked=T + 1, masks=None)``.

    Note:
        Batch norm after the stage sees masked maps in training, and in testing
        uses statistics that they are part of. That holds for the unmasked view
        alone too, so that it may be deployed without this wrapper.

    Args:
        backbone (dict): Config of a backbone whose stages are modules.
        after_stage (int | str): Number i of the stage from 1, the module
            ``layer<i>``, or the name of a module of the backbone.
        masks (str | Sequence): As for :class:`FeatureMaskNeck`. Defaults to
            ``'quadrants'``.
        init_cfg (dict, optional): Initialisation config of MMEngine.

    Shape:
        - images: ``(N, C, H, W)``.
        - returns: tuple of maps ``((T + 1) N, ...)``, row ``(T + 1) n + j`` is
          image n under mask j.

    Raises:
        StageIndexError: If the stage does not exist, or a map is returned that
            has not passed it.
        MapSizeError: If the stage's map is smaller than the masks' grid.

    Example:
        >>> from gssl_mm.registry import MODELS
        >>> backbone = MODELS.build(dict(
        ...     type='gssl_mm.StageMaskBackbone', after_stage=2,
        ...     backbone=dict(type='gssl_mm.CIFARResNet', depth=8)))
    """

    def __init__(self, backbone: dict | nn.Module, after_stage: int | str,
                 masks: str | list = 'quadrants',
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.backbone = _build(backbone)
        self.after_stage = (after_stage if isinstance(after_stage, str)
                            else f'layer{after_stage}')
        self.register_buffer('grids', mask_grids(masks), persistent=False)
        stages = dict(self.backbone.named_children())
        if self.after_stage not in stages:
            raise StageIndexError(
                f'after_stage={after_stage!r} names {self.after_stage!r}, but '
                f'the parts of {type(self.backbone).__name__} are '
                f'{list(stages)}')
        stages[self.after_stage].register_forward_hook(self._stack)

    @property
    def num_views(self) -> int:
        """Views of an image, T + 1."""
        return len(self.grids)

    def _stack(self, stage: nn.Module, inputs: tuple, output: Tensor) -> Tensor:
        return stack_masked(output, self.grids)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the maps of all views."""
        maps = tuple(self.backbone(images))
        rows = [len(feat) for feat in maps]
        if any(row != self.num_views * len(images) for row in rows):
            raise StageIndexError(
                f'maps of {rows} rows for {len(images)} images: each must have '
                f'passed {self.after_stage!r}, where there are '
                f'{self.num_views} an image. Set out_indices to that stage and '
                "later ones, and tap='raw' where the backbone has a tap")
        return maps


def _format_of(images: Tensor) -> torch.memory_format:
    last = images.is_contiguous(memory_format=torch.channels_last)
    return (torch.channels_last if last and not images.is_contiguous()
            else torch.contiguous_format)
