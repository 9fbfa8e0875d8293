"""Cross-entropy on CIFAR-10-LT, ratio 0.01.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-ce_cifar10lt.py 0
"""
_base_ = [
    '../_base_/models/resnet32_ce.py', '../_base_/datasets/cifar10lt.py',
    '../_base_/schedules/cifarlt_200e.py', '../_base_/default_runtime.py'
]

model = dict(head=dict(num_classes=10))
