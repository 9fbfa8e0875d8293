"""Feature masks: WRN-28-10 on CIFAR-100.

Feature-transformation paper, Table 1: SI 80.97, AG 81.1 (mean of 4 runs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/wrn28-10-ft_cifar100.py 0 1 2 3

One run reports both: acc_single is SI, acc_aggregated AG.
"""
_base_ = './resnet110-ft_cifar100.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='gssl_mm.WideResNet',
        depth=28,
        widen_factor=10,
        dropout=0.3,
        out_indices=(1, 2)),
    head=dict(in_channels=(320, 640)))
