"""LDAM-DRW with feature masks and gated tasks on CIFAR-10-LT, ratio 0.01, 40 epochs.

The 200-epoch schedule with decays at 32 and 36 and re-weighting from 32: a smoke
test, not evidence.

Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet32-ft-gssl_cifar10lt-40e.py 0
"""
_base_ = './resnet32-ft-gssl_cifar10lt.py'

param_scheduler = [
    _base_.param_scheduler[0],
    dict(_base_.param_scheduler[1], milestones=[32, 36])
]
train_cfg = dict(max_epochs=40)
custom_hooks = [dict(type='gssl_mm.LDAMHook', drw_epoch=32)]
