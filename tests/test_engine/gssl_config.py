"""The real method at a toy size: LDAM-DRW, three tasks, a learned gate."""
_base_ = [
    '../../configs/_base_/models/resnet32_gssl.py',
    '../../configs/_base_/default_runtime.py'
]

max_epochs = 4
total_batch_size = 8
model = dict(
    backbone=dict(depth=8, base_channels=4),
    head=dict(
        in_channels=16,
        primary=dict(num_classes=4, in_channels=16),
        gate=dict(grad='learned')))


def shapes(split, each):
    return dict(
        type='gssl_mm.SyntheticShapes', split=split, num_per_class=each,
        num_classes=4, image_size=8, pipeline=[dict(type='PackInputs')])


train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(
        type='gssl_mm.LongTailedDataset', imbalance_ratio=0.2,
        dataset=shapes('train', 16)),
    sampler=dict(type='DefaultSampler', shuffle=True))
val_dataloader = dict(
    batch_size=16,
    num_workers=0,
    dataset=shapes('test', 8),
    sampler=dict(type='DefaultSampler', shuffle=False))
val_evaluator = [
    dict(type='Accuracy', topk=(1, )),
    dict(type='gssl_mm.ShotAccuracy', per_class_csv=True)
]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=1)
val_cfg = dict()
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.05, momentum=0.9))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, begin=0, end=2, by_epoch=True),
    dict(type='MultiStepLR', milestones=[3], gamma=0.01, by_epoch=True)
]
custom_hooks = [dict(type='gssl_mm.LDAMHook', drw_epoch=2)]
log_level = 'WARNING'
# A function is not a config value
del shapes
