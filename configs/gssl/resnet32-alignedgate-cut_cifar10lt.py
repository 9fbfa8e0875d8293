"""G-SSL (all tasks), tasks that disagree with the classes cut off on CIFAR-10-LT, ratio 0.01.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-alignedgate-cut_cifar10lt.py 0

As resnet32-alignedgate_cifar10lt.py, with weight 0 for a negative agreement.
"""
_base_ = './resnet32-alignedgate_cifar10lt.py'

model = dict(
    head=dict(gate=dict(cut_negative=True)))
