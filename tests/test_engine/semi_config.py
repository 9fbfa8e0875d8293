"""FixMatch with a learned gate at a toy size, on the iteration loop."""
_base_ = [
    '../../configs/_base_/models/wrn28-2_fixmatch_gssl.py',
    '../../configs/_base_/schedules/fixmatch_1m.py'
]

total_batch_size = 5
model = dict(
    threshold=0.3,
    backbone=dict(
        depth=10, widen_factor=1, norm_cfg=dict(type='BN', momentum=0.1)),
    head=dict(
        in_channels=64,
        primary=dict(num_classes=4, in_channels=64),
        gate=dict(grad='learned')))


def shapes(split, each):
    return dict(
        type='gssl_mm.SyntheticShapes', split=split, num_per_class=each,
        num_classes=4, image_size=8, pipeline=[dict(type='PackInputs')])


train_dataloader = dict(
    batch_size=5,
    num_workers=0,
    dataset=dict(
        type='gssl_mm.SemiSupervisedSplit', num_labeled=12,
        dataset=shapes('train', 11)),
    sampler=dict(type='gssl_mm.StreamSampler'))
val_dataloader = dict(
    batch_size=16,
    num_workers=0,
    dataset=shapes('test', 8),
    sampler=dict(type='DefaultSampler', shuffle=False))
val_evaluator = [dict(type='Accuracy', topk=(1, ))]
train_cfg = dict(max_iters=14, val_interval=4)
custom_hooks = [
    dict(type='gssl_mm.FixMatchHook', unlabeled_ratio=3, decay=0.9)
]
default_hooks = dict(logger=dict(interval=3), checkpoint=dict(interval=3))
log_processor = dict(window_size=3)
log_level = 'WARNING'
test_cfg = None
randomness = dict(seed=3)
# A function is not a config value
del shapes
