"""FixMatch on CIFAR-10 with 4,000 labels.

G-SSL paper, Table 4: 95.74 (as the paper cites it, D17).
Measured here: not yet.
Run: tools/run_seeds.sh configs/semi/wrn28-2-fixmatch_cifar10-4000.py 0
"""
_base_ = [
    '../_base_/models/wrn28-2_fixmatch.py', '../_base_/datasets/cifar10_semi.py',
    '../_base_/schedules/fixmatch_1m.py'
]
