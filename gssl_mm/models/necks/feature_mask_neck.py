"""Pooled features of masked maps."""
from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor

from gssl_mm.registry import MODELS

from .errors import MapSizeError, StageIndexError
from .feature_masks import check_map, mask_grids, pool_masked, pool_quadrants


@MODELS.register_module()
class FeatureMaskNeck(BaseModule):
    r"""Average each map once as it is and once under each of T masks.

    Paper: Self-supervision of Feature Transformation for Further Improving
    Supervised Learning, section 3.1 and figure 2.

    Mask j sets a quadrant of the map to zero; the average is taken over the
    whole area, without rescaling: :math:`p_j = (\sum f - \sum_{Q_j} f) / hw`.
    The map is never copied. Index 0 is the plain average, which
    ``CosineClsHead`` and ``GatedMultiTaskHead`` read. Heads of the host, which
    know no views, stand alone behind ``fixed_mask=0``.

    Note:
        At odd sizes half a side is rounded down, as in the paper's listing:
        the four quadrants still cover the map once.

    Args:
        masks (str | Sequence, optional): ``'quadrants'``, or a list of T grids
            ``(rows, cols)`` of factors, laid over a map of any size: cells meet
            at ``floor(i * h / rows)``. ``[[0, 1], [1, 1]]`` drops the upper
            left quadrant. None for no mask. Defaults to ``'quadrants'``.
        stages (Sequence[int] | int, optional): Which of the maps that the
            backbone returns to take, from 0. Defaults to None, all.
        stacked (int): Views of an image that the backbone has put in
            consecutive rows (``RotatedBackbone``: 4, ``StageMaskBackbone``:
            T + 1); they become views here. Defaults to 1.
        fixed_mask (int, optional): Return the average under this mask alone,
            from 0 (no mask) to T, for a plain head. Defaults to None.
        init_cfg (dict, optional): Initialisation config of MMEngine.

    Shape:
        - feats: tuple of maps ``(N * stacked, C, h, w)``, any value range, h
          and w not smaller than the grid (2x2 for quadrants).
        - returns: tuple of ``(N, stacked * (T + 1), C)``, the view
          ``k * (T + 1) + j`` is stacked view k under mask j. With
          ``fixed_mask``, a tuple of ``(N, C)``.

    Raises:
        MaskSetError: If ``masks`` is not a mask set.
        StageIndexError: If a stage or ``fixed_mask`` does not exist.
        MapSizeError: If maps have unlike batch sizes, are no maps, or are
            smaller than the grid.

    Example:
        >>> from gssl_mm.registry import MODELS
        >>> neck = MODELS.build(dict(type='gssl_mm.FeatureMaskNeck'))
        >>> neck.num_views
        5
    """

    def __init__(self, masks: str | Sequence | None = 'quadrants',
                 stages: Sequence[int] | int | None = None, stacked: int = 1,
                 fixed_mask: int | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        # Constant: it moves with the model and is not saved
        self.register_buffer('grids', mask_grids(masks), persistent=False)
        self.quadrants = isinstance(masks, str)
        stages = (stages, ) if isinstance(stages, int) else stages
        self.stages = None if stages is None else tuple(stages)
        self.stacked = stacked
        self.fixed_mask = fixed_mask
        if stacked < 1 or (fixed_mask is not None and stacked != 1):
            raise ValueError(
                'stacked must be at least 1, and 1 with fixed_mask, but got '
                f'stacked={stacked}, fixed_mask={fixed_mask}')
        if fixed_mask is not None and not 0 <= fixed_mask < len(self.grids):
            raise StageIndexError(
                f'fixed_mask must be from 0 to {len(self.grids) - 1}, but got '
                f'{fixed_mask}')

    @property
    def num_views(self) -> int:
        """Views of an image, ``stacked * (T + 1)``."""
        return self.stacked * len(self.grids)

    def forward(self, feats: tuple | Tensor) -> tuple[Tensor, ...]:
        """Pool every map under every mask."""
        feats = self._pick((feats, ) if isinstance(feats, Tensor) else feats)
        return tuple(self._pool(feat) for feat in feats)

    def _pick(self, feats: tuple) -> list[Tensor]:
        stages = range(len(feats)) if self.stages is None else self.stages
        for stage in stages:
            if not 0 <= stage < len(feats):
                raise StageIndexError(
                    f'stages={self.stages}, but the backbone returns '
                    f'{len(feats)} maps: 0 to {len(feats) - 1} exist. Set '
                    'out_indices of the backbone')
        picked = [feats[stage] for stage in stages]
        for feat in picked:
            check_map(feat, self.grids)
        rows = [len(feat) for feat in picked]
        if len(set(rows)) != 1 or rows[0] % self.stacked:
            raise MapSizeError(
                'maps of one batch must have equally many rows, a multiple of '
                f'stacked={self.stacked}, but got {rows}. Stages before the '
                'views are stacked cannot be tapped beside those after it')
        return picked

    def _pool(self, feat: Tensor) -> Tensor:
        pooled = (pool_quadrants(feat) if self.quadrants
                  else pool_masked(feat, self.grids))
        if self.fixed_mask is not None:
            return pooled[:, self.fixed_mask]
        return pooled.reshape(-1, self.num_views, feat.size(1))

    def extra_repr(self) -> str:
        """Show how many views there are."""
        return f'masks={len(self.grids) - 1}, stacked={self.stacked}'
