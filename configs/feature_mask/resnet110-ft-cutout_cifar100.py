"""Feature masks with Cutout: ResNet-110 on CIFAR-100.

Feature-transformation paper, Table 2: AG 78.55.
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet110-ft-cutout_cifar100.py 0 1 2 3

D23: the recipe of Table 1. The -public leaf has that of the public code.
"""
_base_ = './resnet110-ft_cifar100.py'

augment = [
    dict(type='gssl_mm.RandomCropFlip', padding=4),
    dict(
        type='gssl_mm.RandomCutout',
        size=8,
        fill=[129.3105, 124.0575, 112.4295])
]
model = dict(data_preprocessor=dict(augment=augment))
