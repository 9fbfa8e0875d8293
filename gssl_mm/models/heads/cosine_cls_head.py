"""Cosine classifiers."""
import torch
import torch.nn.functional as F
from mmpretrain.models.heads import ClsHead
from torch import Tensor, nn

from gssl_mm.registry import MODELS

from ..utils.precision import float32_region, pooled_feature


class CosineLinear(nn.Module):
    """Linear layer on directions: scaled cosines, no bias.

    Equation: ``z_k = scale * <x / |x|, w_k / |w_k|>``, in [-scale, scale].
    Norms are guarded at 1e-12. Weights start uniform in (-1, 1), normalised.

    Args:
        in_features (int): Channels D of the input.
        out_features (int): Number of outputs K.
        scale (float): Factor on the cosines. Defaults to 1.
    """

    def __init__(self, in_features: int, out_features: int,
                 scale: float = 1.) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.scale = scale
        weight = torch.empty(out_features, in_features).uniform_(-1, 1)
        self.weight = nn.Parameter(F.normalize(weight))

    def forward(self, feats: Tensor) -> Tensor:
        """Map ``(N, D)`` to ``(N, K)``."""
        cosines = F.linear(F.normalize(feats), F.normalize(self.weight))
        return cosines if self.scale == 1 else self.scale * cosines


@MODELS.register_module()
class CosineClsHead(ClsHead):
    """Classification head with scaled cosines as logits, as LDAM needs it.

    Paper: Learning Imbalanced Datasets with Label-Distribution-Aware Margin
    Loss, released code (``NormedLinear``).

    Args:
        num_classes (int): Number of classes K.
        in_channels (int): Channels D of the pooled feature.
        scale (float): Factor s on the cosines; LDAM's 30. Defaults to 30.
        **kwargs: Arguments of the host's ``ClsHead``: ``loss``, ``topk``...

    Shape:
        - feats: tuple whose last item is ``(N, D)``, or ``(N, M, D)`` of which
          index 0 is read.
        - returns: logits float32 ``(N, K)`` in [-scale, scale].

    Raises:
        ValueError: If a size or the scale is not positive.
    """

    def __init__(self, num_classes: int, in_channels: int, scale: float = 30.,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        if min(num_classes, in_channels) < 1 or scale <= 0:
            raise ValueError(
                'num_classes, in_channels and scale must be positive, but got '
                f'{num_classes}, {in_channels} and {scale}')
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.fc = CosineLinear(in_channels, num_classes, scale)

    def pre_logits(self, feats: tuple) -> Tensor:
        """Return the pooled feature ``(N, D)``."""
        return pooled_feature(feats)

    def forward(self, feats: tuple) -> Tensor:
        """Return logits ``(N, K)``."""
        feat = self.pre_logits(feats)
        with float32_region(feat.device):
            return self.fc(feat.to(self.fc.weight.dtype))
