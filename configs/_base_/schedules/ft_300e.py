"""300 epochs: lr 0.1, a tenth from epoch 150, a hundredth from 225."""
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4))

param_scheduler = [
    dict(type='MultiStepLR', milestones=[150, 225], gamma=0.1, by_epoch=True)
]

train_cfg = dict(by_epoch=True, max_epochs=300, val_interval=1)
val_cfg = dict()
test_cfg = dict()

total_batch_size = 128
auto_scale_lr = dict(base_batch_size=128)
