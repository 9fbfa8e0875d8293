"""Baseline: ResNet-110 on CIFAR-100.

Feature-transformation paper, Tables 1, 2 and 5: 74.78 (mean of 4 runs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet110-ce_cifar100.py 0 1 2 3

D19: bottleneck blocks.
"""
_base_ = [
    '../_base_/models/resnet110_ce.py', '../_base_/datasets/cifar100.py',
    '../_base_/schedules/ft_300e.py', '../_base_/default_runtime.py'
]
