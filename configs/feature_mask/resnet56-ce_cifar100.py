"""Baseline: ResNet-56 on CIFAR-100.

Feature-transformation paper, Table 1: 73.71 (mean of 4 runs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet56-ce_cifar100.py 0 1 2 3

D19: bottleneck blocks.
"""
_base_ = './resnet110-ce_cifar100.py'

model = dict(backbone=dict(depth=56))
