"""G-SSL (all tasks), learned gate on losses in units of guessing on CIFAR-10-LT, ratio 0.01.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-chancegate_cifar10lt.py 0

Equation 3 with each loss divided by ln K: no task is ahead for having few classes.
"""
_base_ = './resnet32_cifar10lt.py'

model = dict(
    head=dict(gate=dict(grad='learned', divide_by_chance=True)))
