"""Baseline: ResNet-50 on CUB-200-2011.

Feature-transformation paper, Table 4: 68.3 (mean of 4 runs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet50-ce_cub.py 0 1 2 3

The recipe is not stated; it suggests training from scratch at lr 0.1.
"""
_base_ = [
    '../_base_/models/resnet50_ce.py', '../_base_/datasets/cub.py',
    '../_base_/schedules/ft_300e.py', '../_base_/default_runtime.py'
]

total_batch_size = 16
auto_scale_lr = dict(base_batch_size=16)
