"""400 epochs: a cosine from lr 0.1 to 0, times a warm-up over 5."""
optim_wrapper = dict(
    optimizer=dict(
        type='SGD', lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4))

param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.2,
        begin=0,
        end=5,
        by_epoch=True,
        convert_to_iter_based=True),
    # Ends with the training, however long that is
    dict(
        type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True)
]

train_cfg = dict(by_epoch=True, max_epochs=400, val_interval=1)
val_cfg = dict()
test_cfg = dict()

total_batch_size = 128
auto_scale_lr = dict(base_batch_size=128)
