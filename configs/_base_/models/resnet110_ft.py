"""ResNet-110 with feature masks on its last two stages on CIFAR-100."""
_base_ = './resnet110_ce.py'

model = dict(
    backbone=dict(out_indices=(1, 2)),
    neck=dict(_delete_=True, type='gssl_mm.FeatureMaskNeck'),
    head=dict(
        _delete_=True,
        type='gssl_mm.JointLabelHead',
        num_classes=100,
        in_channels=(128, 256),
        beta=1.,
        inference='single',
        loss=dict(type='CrossEntropyLoss')))
