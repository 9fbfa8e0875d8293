"""Class-balanced re-sampling on CIFAR-100-LT, ratio 0.01.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-cbresample_cifar100lt.py 0
"""
_base_ = './resnet32-ce_cifar100lt.py'

train_dataloader = dict(
    sampler=dict(_delete_=True, type='gssl_mm.ClassBalancedSampler'))
