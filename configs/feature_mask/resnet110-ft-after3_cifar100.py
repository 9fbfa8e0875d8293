"""Maps masked after stage 3 alone: ResNet-110 on CIFAR-100.

Feature-transformation paper, Table 5: 75.82.
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet110-ft-after3_cifar100.py 0 1 2 3
"""
_base_ = './resnet110-ft_cifar100.py'

model = dict(backbone=dict(out_indices=(2, )), head=dict(in_channels=256))
