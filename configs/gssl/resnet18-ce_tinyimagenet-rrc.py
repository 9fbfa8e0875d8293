"""Baseline: ResNet-18 on Tiny-ImageNet, crops of random size.

Not a row of the paper: the recipe of its mixup rows, OpenMixup's, without a
mix (D12). OpenMixup reports 61.68.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet18-ce_tinyimagenet-rrc.py 0
"""
_base_ = [
    '../_base_/models/resnet18_openmixup.py', '../_base_/datasets/tinyimagenet.py',
    '../_base_/schedules/tiny_400e.py', '../_base_/default_runtime.py'
]
