_base_ = './toy_config.py'
train_dataloader = dict(sampler=dict(type='InfiniteSampler'))
train_cfg = dict(
    _delete_=True, type='IterBasedTrainLoop', max_iters=20, val_interval=6)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=6),
]
default_hooks = dict(
    logger=dict(log_metric_by_epoch=False, interval=4),
    checkpoint=dict(by_epoch=False, interval=3, save_best='accuracy/top1'))
log_processor = dict(by_epoch=False)
