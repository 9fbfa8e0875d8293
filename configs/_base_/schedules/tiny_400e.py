"""400 epochs: lr 0.2 to 0 along a cosine, epoch by epoch."""
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.2, momentum=0.9, weight_decay=1e-4))

param_scheduler = [
    dict(type='CosineAnnealingLR', T_max=400, eta_min=0., by_epoch=True)
]

train_cfg = dict(by_epoch=True, max_epochs=400, val_interval=1)
val_cfg = dict()
test_cfg = dict()

total_batch_size = 100
auto_scale_lr = dict(base_batch_size=100)
