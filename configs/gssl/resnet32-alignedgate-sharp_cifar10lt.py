"""G-SSL (all tasks), a sharp choice by long averages of the agreement on CIFAR-10-LT, ratio 0.01.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-alignedgate-sharp_cifar10lt.py 0

As resnet32-alignedgate_cifar10lt.py, averaged over some 100 steps and at a
temperature as small as what is left of the agreement then.
"""
_base_ = './resnet32-alignedgate_cifar10lt.py'

model = dict(
    head=dict(gate=dict(momentum=0.01, temperature=0.002)))
