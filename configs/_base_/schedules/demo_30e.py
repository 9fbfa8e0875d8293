"""The 200-epoch schedule in 30, at a quarter of the batch. Shows, proves nothing."""
_base_ = './cifarlt_200e.py'

optim_wrapper = dict(optimizer=dict(lr=0.05))

param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, begin=0, end=3, by_epoch=True),
    dict(type='MultiStepLR', milestones=[24, 27], gamma=0.1, by_epoch=True)
]

train_cfg = dict(max_epochs=30, val_interval=10)
total_batch_size = 32
auto_scale_lr = dict(base_batch_size=32)
