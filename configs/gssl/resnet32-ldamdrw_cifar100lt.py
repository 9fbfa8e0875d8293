"""LDAM-DRW on CIFAR-100-LT, ratio 0.01.

G-SSL paper, Table 1: 42.04 (best epoch).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-ldamdrw_cifar100lt.py 0

D17: the paper cites this figure, it did not measure it.
"""
_base_ = [
    '../_base_/models/resnet32_ldam.py', '../_base_/datasets/cifar100lt.py',
    '../_base_/schedules/cifarlt_200e.py', '../_base_/default_runtime.py'
]
