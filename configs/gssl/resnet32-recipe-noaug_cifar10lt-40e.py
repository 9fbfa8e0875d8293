"""Recipe without AutoAugment and Cutout on CIFAR-10-LT, ratio 0.01, 40 epochs.

The 400-epoch schedule scaled down (a warm-up of one epoch): a smoke test, not
evidence. A net that still underfits pays for every augmentation.
"""
_base_ = './resnet32-recipe-noaug_cifar10lt.py'

param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.2,
        begin=0,
        end=1,
        by_epoch=True,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        by_epoch=True,
        convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=40)
