"""LDAM-DRW, ResNet-8, on CIFAR-10-LT, ratio 0.01, 15 epochs.

Not a row of the papers: what the gates of resnet8-lambda2_cifar10lt-15e.py are
compared with.

Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet8-ldamdrw_cifar10lt-15e.py 0
"""
_base_ = './resnet32-ldamdrw_cifar10lt.py'

model = dict(backbone=dict(depth=8))
param_scheduler = [
    _base_.param_scheduler[0],
    dict(_base_.param_scheduler[1], milestones=[12, 14])
]
train_cfg = dict(max_epochs=15, val_interval=5)
custom_hooks = [dict(type='gssl_mm.LDAMHook', drw_epoch=12)]
