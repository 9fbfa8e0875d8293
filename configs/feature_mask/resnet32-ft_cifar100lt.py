"""LDAM-DRW with feature masks on CIFAR-100-LT, ratio 0.01.

Not a row of the papers. One quarter of the composition: LDAM-DRW with
feature masks; beside it LDAM-DRW, G-SSL and both.
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet32-ft_cifar100lt.py 0
"""
_base_ = '../gssl/resnet32-ldamdrw_cifar100lt.py'

model = dict(
    backbone=dict(out_indices=(1, 2)),
    neck=dict(_delete_=True, type='gssl_mm.FeatureMaskNeck'),
    head=dict(
        _delete_=True,
        type='gssl_mm.JointLabelHead',
        num_classes=100,
        in_channels=(32, 64),
        head='cosine',
        loss=dict(type='gssl_mm.LDAMLoss')))
val_evaluator = [
    dict(type='Accuracy', topk=(1, 5)),
    dict(type='gssl_mm.ShotAccuracy', per_class_csv=True),
    dict(type='gssl_mm.InferenceModeAccuracy')
]
test_evaluator = val_evaluator
