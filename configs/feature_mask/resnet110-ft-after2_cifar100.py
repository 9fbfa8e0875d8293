"""Maps masked after stage 2: ResNet-110 on CIFAR-100.

Feature-transformation paper, Table 5: 76.76.
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet110-ft-after2_cifar100.py 0 1 2 3

The five maps of an image go on through the later stages.
"""
_base_ = './resnet110-ft_cifar100.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='gssl_mm.StageMaskBackbone',
        after_stage=2,
        backbone=dict(
            type='gssl_mm.CIFARResNet',
            depth=110,
            block='bottleneck',
            shortcut='B',
            conv_init='fan_out')),
    neck=dict(masks=None, stacked=5),
    head=dict(in_channels=256))
