"""FixMatch with G-SSL, as close to the authors' working code as it is known.

G-SSL paper, Table 4: 94.95.
Measured here: not yet.
Run: tools/run_seeds.sh configs/semi/wrn28-2-fixmatch-gssl_cifar10-4000-released.py 0

lambda 0.1 (D15), views in place (D16), its normalisation, backbone and order
of augmentations; evaluated every 10,000 steps, from 2**19 on every 1,000.
"""
_base_ = './wrn28-2-fixmatch-gssl_cifar10-4000.py'

crop = dict(type='gssl_mm.RandomCropFlip', padding=4, padding_mode='constant')
model = dict(
    backbone=dict(
        shared_act='all', norm_cfg=dict(type='BN', momentum=0.001, eps=1e-5)),
    head=dict(
        loss_weight=0.1,
        # That of nn.Linear
        primary=dict(init_cfg=None)),
    data_preprocessor=dict(
        mean=[125.3, 123.0, 113.9],
        std=[63.0, 62.1, 66.7],
        augment=[crop],
        views=dict(
            weak=[crop],
            strong=[
                dict(type='gssl_mm.BatchRandAugment', variant='ly'), crop
            ])))
# Only batch norm does not decay
optim_wrapper = dict(
    paramwise_cfg=dict(_delete_=True, norm_decay_mult=0.))
train_cfg = dict(val_interval=10000, dynamic_intervals=[(2**19, 1000)])
default_hooks = dict(checkpoint=dict(interval=1000))
