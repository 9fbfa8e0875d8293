"""G-SSL (all tasks), ResNet-8, linear task heads and lambda 2 on CIFAR-10-LT, 15 epochs.

Not a row of the papers: the smallest run on real images in which every task is
learnt, so that a gate has something to choose. The 200-epoch schedule with decays
at 12 and 14 and re-weighting from 12.

Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet8-lambda2_cifar10lt-15e.py 0
"""
_base_ = './resnet32-lambda1_cifar10lt.py'

model = dict(backbone=dict(depth=8), head=dict(loss_weight=2.))
param_scheduler = [
    _base_.param_scheduler[0],
    dict(_base_.param_scheduler[1], milestones=[12, 14])
]
train_cfg = dict(max_epochs=15, val_interval=5)
custom_hooks = [dict(type='gssl_mm.LDAMHook', drw_epoch=12)]
