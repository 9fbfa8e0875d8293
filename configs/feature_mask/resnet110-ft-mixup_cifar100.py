"""Feature masks with Mixup: ResNet-110 on CIFAR-100.

Feature-transformation paper, Table 2: AG 78.33.
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet110-ft-mixup_cifar100.py 0 1 2 3

D23: the recipe of Table 1. The -public leaf has that of the public code.
Both labels of a mixed image share the mask.
"""
_base_ = './resnet110-ft_cifar100.py'

model = dict(
    head=dict(loss=dict(use_soft=True)),
    data_preprocessor=dict(
        num_classes=100,
        batch_augments=dict(augments=dict(type='Mixup', alpha=1.))))
