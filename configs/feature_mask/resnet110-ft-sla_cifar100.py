"""Feature masks on SLA: 20 labels a class: ResNet-110 on CIFAR-100.

Feature-transformation paper, Table 2: SLA + AG 80.61.
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet110-ft-sla_cifar100.py 0 1 2 3
"""
_base_ = './resnet110-ft_cifar100.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='gssl_mm.RotatedBackbone',
        backbone=dict(
            type='gssl_mm.CIFARResNet',
            depth=110,
            block='bottleneck',
            shortcut='B',
            conv_init='fan_out',
            out_indices=(1, 2))),
    neck=dict(stacked=4),
    head=dict(num_rotations=4))
