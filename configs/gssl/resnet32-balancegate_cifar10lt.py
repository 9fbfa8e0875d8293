"""G-SSL (all tasks), learned gate with a balance term on CIFAR-10-LT, ratio 0.01.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-balancegate_cifar10lt.py 0

Equation 3 with the squared coefficient of variation of the tasks' importance, as
in sparsely gated mixtures of experts, against a collapse onto one task.
"""
_base_ = './resnet32_cifar10lt.py'

model = dict(
    head=dict(gate=dict(grad='learned', balance=1.)))
