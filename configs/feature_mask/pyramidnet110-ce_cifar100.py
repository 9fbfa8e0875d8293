"""Baseline: PyramidNet-110, alpha 270 on CIFAR-100.

Feature-transformation paper, Table 1: 81.54 (mean of 4 runs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/pyramidnet110-ce_cifar100.py 0 1 2 3
"""
_base_ = './resnet110-ce_cifar100.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='gssl_mm.PyramidNet',
        depth=110,
        alpha=270),
    head=dict(in_channels=286))
