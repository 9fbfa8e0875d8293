"""MixUp: ResNet-18 on Tiny-ImageNet, crops from a border.

Not a row of the paper: the augmentation of its own rows (D12).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet18-mixup_tinyimagenet-crop4.py 0

Initialisation and augmentation are those of the G-SSL rows: to be compared
with them.
"""
_base_ = [
    '../_base_/models/resnet18_ce.py', '../_base_/datasets/tinyimagenet.py',
    '../_base_/schedules/tiny_400e.py', '../_base_/default_runtime.py'
]

model = dict(
    data_preprocessor=dict(
        batch_augments=dict(augments=dict(type='Mixup', alpha=1.))))
