"""Feature masks: ResNet-110 on Tiny-ImageNet.

Feature-transformation paper, Table 3: SI 63.68, AG 63.77 (mean of 4 runs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet110-ft_tinyimagenet.py 0 1 2 3
"""
_base_ = [
    '../_base_/models/resnet110_ft.py', '../_base_/datasets/tinyimagenet.py',
    '../_base_/schedules/ft_300e.py', '../_base_/default_runtime.py'
]

model = dict(
    head=dict(num_classes=200),
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]))

total_batch_size = 256
auto_scale_lr = dict(base_batch_size=256)
val_evaluator = [
    dict(type='Accuracy', topk=(1, 5)),
    dict(type='gssl_mm.InferenceModeAccuracy')
]
test_evaluator = val_evaluator
