"""LDAM-DRW on CIFAR-10-LT, ratio 0.01.

G-SSL paper, Table 1: 77.03 (best epoch).
Measured here: docs/results.md.
Run: tools/run_seeds.sh configs/gssl/resnet32-ldamdrw_cifar10lt.py 0

D17: the paper cites this figure, it did not measure it.
"""
_base_ = [
    '../_base_/models/resnet32_ldam.py', '../_base_/datasets/cifar10lt.py',
    '../_base_/schedules/cifarlt_200e.py', '../_base_/default_runtime.py'
]

model = dict(head=dict(num_classes=10))
