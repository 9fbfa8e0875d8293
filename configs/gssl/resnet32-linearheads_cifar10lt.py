"""G-SSL (all tasks) with linear task heads on CIFAR-10-LT, ratio 0.01.

Not a row of the papers: the released code takes the cross-entropy on unscaled
cosines (D5), and no head can then be sure of anything.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-linearheads_cifar10lt.py 0
"""
_base_ = './resnet32_cifar10lt.py'

model = dict(head=dict(task_head='linear'))
