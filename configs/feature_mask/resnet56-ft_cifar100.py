"""Feature masks: ResNet-56 on CIFAR-100.

Feature-transformation paper, Table 1: SI 74.53, AG 74.66 (mean of 4 runs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet56-ft_cifar100.py 0 1 2 3

One run reports both: acc_single is SI, acc_aggregated AG.
"""
_base_ = './resnet110-ft_cifar100.py'

model = dict(backbone=dict(depth=56))
