"""200 epochs of a cosine from 0.1 to 1e-6, advanced before each step."""
_base_ = '../attacks/evaluation.py'

optim_wrapper = dict(
    optimizer=dict(
        type='SGD', lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4))

param_scheduler = [
    dict(type='gssl_mm.StepAheadCosineLR', by_epoch=False, eta_min_ratio=1e-5)
]

train_cfg = dict(by_epoch=True, max_epochs=200, val_interval=1)
val_cfg = dict()

total_batch_size = 128
auto_scale_lr = dict(base_batch_size=128)
