"""ResNet-32 with LDAM on the joint labels of rotations, and a student (SLA-SD).

The teacher is the mean of the scaled joint cosines over the four rotations.
"""
_base_ = './resnet32_ldam.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='gssl_mm.RotatedBackbone',
        backbone=dict(type='gssl_mm.CIFARResNet', depth=32)),
    neck=dict(
        _delete_=True, type='gssl_mm.FeatureMaskNeck', masks=None, stacked=4),
    head=dict(
        _delete_=True,
        type='gssl_mm.JointLabelHead',
        num_classes=100,
        in_channels=64,
        num_masks=0,
        num_rotations=4,
        inference='distilled',
        head='cosine',
        loss=dict(type='gssl_mm.LDAMLoss')))
