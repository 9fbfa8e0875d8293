"""G-SSL (all tasks), linear task heads and lambda 1 on CIFAR-10-LT, ratio 0.01.

Not a row of the papers: with the table's lambda of 0.1 the tasks hardly learn, so
that no gate could tell them apart. The gate starts near equal weights.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-lambda1_cifar10lt.py 0
"""
_base_ = './resnet32-linearheads_cifar10lt.py'

model = dict(
    head=dict(loss_weight=1., gate=dict(init='default', reduce='prob_mean')))
