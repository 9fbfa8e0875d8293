"""SLA, the joint labels of four rotations: ResNet-110 on CIFAR-100.

Feature-transformation paper, Table 2: SLA-AG 80.30; Table 5: SI 77.21.
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet110-sla_cifar100.py 0 1 2 3
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
            conv_init='fan_out')),
    neck=dict(masks=None, stacked=4),
    head=dict(in_channels=256, num_masks=0, num_rotations=4))
