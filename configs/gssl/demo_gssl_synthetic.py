"""G-SSL on the built-in long-tailed shapes: the other half of the demo.

Not a row of the papers. Run both halves: python tools/demo.py

For a net of depth 8 and 30 short epochs the pretext weight is 5, not 0.1, task
heads are linear, flips horizontal and the gate is the mean of probabilities.

Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 89.26 ± 2.16 (30 epochs, batch 32; built-in synthetic shapes; seeds 0, 1, 2,
  3, 4; 0.02 h a run on AMD EPYC (AVX512), 1 thread(s)): demo_gssl_synthetic
Run: python tools/demo.py
"""
_base_ = [
    '../_base_/models/resnet32_gssl.py', '../_base_/datasets/synthetic_lt.py',
    '../_base_/default_runtime.py', '../_base_/schedules/demo_30e.py'
]

tasks = [
    dict(type='gssl_mm.LocalRotation'),
    dict(type='gssl_mm.LocalFlip'),
    dict(type='gssl_mm.LocalChannelPermutation')
]
model = dict(
    backbone=dict(depth=8),
    head=dict(
        primary=dict(num_classes=10),
        tasks=tasks,
        gate=dict(reduce='prob_mean', init='default'),
        loss_weight=5.,
        task_head='linear'),
    data_preprocessor=dict(augment=[], pretext=dict(tasks=tasks)))
custom_hooks = [dict(type='gssl_mm.LDAMHook', drw_epoch=24)]
default_hooks = dict(
    logger=dict(interval=10), checkpoint=dict(interval=30, save_best=None))
result_label = 'built-in synthetic shapes'
