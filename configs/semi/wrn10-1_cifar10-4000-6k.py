"""WRN-10-1 on the labelled images alone, CIFAR-10 with 4,000 labels.

Not a row of the papers: a size that trains on a CPU.
Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 54.43 (1,024 iterations, batch 32; CIFAR-10 re-encoded as JPEG, shortened;
  seed 0; 0.08 h a run on AMD EPYC (AVX2), 1 thread(s)):
  wrn10-1_cifar10-4000-6k-1k
Run: tools/run_seeds.sh configs/semi/wrn10-1_cifar10-4000-6k.py 0

Shortened: 6,144 steps of 32 labelled images, a quarter of the blocks and
half of the width; averages over 100 steps instead of 1,000. It shows that
things learn and proves nothing.
About 4 minutes on one core with bf16 (--amp).
"""
_base_ = './wrn28-2_cifar10-4000.py'

model = dict(
    backbone=dict(
        depth=10, widen_factor=1, norm_cfg=dict(type='BN', momentum=0.01)),
    head=dict(in_channels=64))
custom_hooks = [dict(type='gssl_mm.TeacherHook', decay=0.99)]
train_cfg = dict(max_iters=6144, val_interval=192)
default_hooks = dict(
    logger=dict(interval=32), checkpoint=dict(interval=192))
log_processor = dict(window_size=32)
total_batch_size = 32
auto_scale_lr = dict(base_batch_size=32)
result_label = 'shortened'
