"""Transformed images, lambda 0, ResNet-8, on CIFAR-10-LT, ratio 0.01, 15 epochs.

Not a row of the papers: resnet8-lambda2_cifar10lt-15e.py with a quadrant of every
image transformed and nothing learnt from it.

Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet8-lambda0_cifar10lt-15e.py 0
"""
_base_ = './resnet8-lambda2_cifar10lt-15e.py'

model = dict(head=dict(loss_weight=0.))
