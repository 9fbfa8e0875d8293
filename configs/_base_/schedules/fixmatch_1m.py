"""2**20 steps of 64 labelled images; lr(k) = 0.03 cos(7 pi k / (16 K))."""
_base_ = '../default_runtime.py'

optim_wrapper = dict(
    optimizer=dict(
        type='SGD', lr=0.03, momentum=0.9, nesterov=True, weight_decay=5e-4),
    # Kernels alone decay
    paramwise_cfg=dict(norm_decay_mult=0., bias_decay_mult=0.))

param_scheduler = [dict(type='gssl_mm.FixMatchCosineLR', by_epoch=False)]

# 2**16 labelled images lie between two evaluations
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=2**20, val_interval=2**10)
val_cfg = dict()
test_cfg = dict()

default_hooks = dict(
    logger=dict(interval=64, log_metric_by_epoch=False),
    checkpoint=dict(by_epoch=False, interval=2**10))
# Means over the interval for what is logged beside the losses, too
log_processor = dict(
    by_epoch=False,
    window_size=64,
    mean_pattern=r'.*(loss|time|grad_norm|mask_rate|acc_|ce_|mse_|gate_).*')

total_batch_size = 64
auto_scale_lr = dict(base_batch_size=64)
