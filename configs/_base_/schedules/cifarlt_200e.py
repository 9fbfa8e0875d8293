"""200 epochs: warm-up over 5, lr 0.1, 0.001 from epoch 160, 1e-5 from 180."""
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=2e-4))

param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, begin=0, end=5, by_epoch=True),
    dict(type='MultiStepLR', milestones=[160, 180], gamma=0.01, by_epoch=True)
]

train_cfg = dict(by_epoch=True, max_epochs=200, val_interval=1)
val_cfg = dict()
test_cfg = dict()

total_batch_size = 128
auto_scale_lr = dict(base_batch_size=128)
