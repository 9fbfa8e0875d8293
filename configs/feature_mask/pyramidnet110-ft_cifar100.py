"""Feature masks: PyramidNet-110, alpha 270 on CIFAR-100.

Feature-transformation paper, Table 1: SI 82.53, AG 82.58 (mean of 4 runs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/pyramidnet110-ft_cifar100.py 0 1 2 3

One run reports both: acc_single is SI, acc_aggregated AG.
"""
_base_ = './resnet110-ft_cifar100.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='gssl_mm.PyramidNet',
        depth=110,
        alpha=270,
        out_indices=(1, 2)),
    head=dict(in_channels=(196, 286)))
