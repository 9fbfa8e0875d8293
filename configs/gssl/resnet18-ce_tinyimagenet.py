"""Baseline: ResNet-18 on Tiny-ImageNet.

G-SSL paper, Table 3: 61.08 (best epoch).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet18-ce_tinyimagenet.py 0

D12: the released code crops from a border of 4 pixels, the paper names the
augmentation of its mixup rows: the -rrc leaf has that.
"""
_base_ = [
    '../_base_/models/resnet18_ce.py', '../_base_/datasets/tinyimagenet.py',
    '../_base_/schedules/tiny_400e.py', '../_base_/default_runtime.py'
]
