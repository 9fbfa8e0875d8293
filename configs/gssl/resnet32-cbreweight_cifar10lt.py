"""Class-balanced re-weighting from the first epoch on CIFAR-10-LT, ratio 0.01.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-cbreweight_cifar10lt.py 0
"""
_base_ = './resnet32-ce_cifar10lt.py'

model = dict(
    head=dict(
        loss=dict(_delete_=True, type='gssl_mm.ClassBalancedCrossEntropyLoss')))
custom_hooks = [dict(type='gssl_mm.LDAMHook', drw_epoch=0)]
