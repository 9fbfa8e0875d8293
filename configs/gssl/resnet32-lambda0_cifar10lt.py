"""LDAM-DRW on transformed images without a pretext loss on CIFAR-10-LT, ratio 0.01.

Not a row of the papers: images are transformed as for G-SSL and its heads are
there, with lambda 0. What G-SSL gains over this, its losses gain; the rest is
augmentation.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-lambda0_cifar10lt.py 0
"""
_base_ = './resnet32_cifar10lt.py'

model = dict(head=dict(loss_weight=0.))
