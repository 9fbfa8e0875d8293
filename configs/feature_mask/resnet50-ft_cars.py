"""Feature masks: ResNet-50 on Stanford Cars.

Feature-transformation paper, Table 4: SI 88.43, AG 88.82 (mean of 4 runs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet50-ft_cars.py 0 1 2 3

The recipe is not stated; it suggests training from scratch at lr 0.1.
"""
_base_ = [
    '../_base_/models/resnet50_ft.py', '../_base_/datasets/stanford_cars.py',
    '../_base_/schedules/ft_300e.py', '../_base_/default_runtime.py'
]

model = dict(head=dict(num_classes=196))
total_batch_size = 16
auto_scale_lr = dict(base_batch_size=16)
val_evaluator = [
    dict(type='Accuracy', topk=(1, 5)),
    dict(type='gssl_mm.InferenceModeAccuracy')
]
test_evaluator = val_evaluator
