"""WRN-28-2 on the labelled images alone on CIFAR-10 with 4,000 labels.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/semi/wrn28-2_cifar10-4000.py 0

What the unlabelled images are worth is measured against this.
"""
_base_ = [
    '../_base_/models/wrn28-2_semi.py', '../_base_/datasets/cifar10_semi.py',
    '../_base_/schedules/fixmatch_1m.py'
]
