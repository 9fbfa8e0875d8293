from .cifar_resnet import CIFARResNet
from .pyramidnet import PyramidNet
from .view_backbones import RotatedBackbone, StageMaskBackbone
from .wide_resnet import WideResNet

__all__ = [
    'CIFARResNet', 'PyramidNet', 'RotatedBackbone', 'StageMaskBackbone',
    'WideResNet'
]
