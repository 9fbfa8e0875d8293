"""ResNet-50 with feature masks on its last two stages on CUB-200-2011."""
_base_ = './resnet50_ce.py'

model = dict(
    backbone=dict(out_indices=(2, 3)),
    neck=dict(_delete_=True, type='gssl_mm.FeatureMaskNeck'),
    head=dict(
        _delete_=True,
        type='gssl_mm.JointLabelHead',
        num_classes=200,
        in_channels=(1024, 2048),
        beta=1.,
        inference='single',
        loss=dict(type='CrossEntropyLoss')))
