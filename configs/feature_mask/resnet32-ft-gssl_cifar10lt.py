"""Both papers at once: LDAM-DRW with feature masks and gated tasks on CIFAR-10-LT.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet32-ft-gssl_cifar10lt.py 0
"""
_base_ = '../gssl/resnet32_cifar10lt.py'

model = dict(
    backbone=dict(out_indices=(1, 2)),
    neck=dict(_delete_=True, type='gssl_mm.FeatureMaskNeck'),
    head=dict(
        primary=dict(
            _delete_=True,
            type='gssl_mm.JointLabelHead',
            num_classes=10,
            in_channels=(32, 64),
            head='cosine',
            loss=dict(type='gssl_mm.LDAMLoss'))))
val_evaluator = [
    dict(type='Accuracy', topk=(1, 5)),
    dict(type='gssl_mm.ShotAccuracy', per_class_csv=True),
    dict(type='gssl_mm.InferenceModeAccuracy')
]
test_evaluator = val_evaluator
