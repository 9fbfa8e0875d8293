from .cifar_resnet import CIFARResNet
from .pyramidnet import PyramidNet
from .wide_resnet import WideResNet

__all__ = ['CIFARResNet', 'PyramidNet', 'WideResNet']
