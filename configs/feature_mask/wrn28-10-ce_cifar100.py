"""Baseline: WRN-28-10 on CIFAR-100.

Feature-transformation paper, Table 1: 79.35 (mean of 4 runs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/wrn28-10-ce_cifar100.py 0 1 2 3
"""
_base_ = './resnet110-ce_cifar100.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='gssl_mm.WideResNet',
        depth=28,
        widen_factor=10,
        dropout=0.3),
    head=dict(in_channels=640))
