"""LDAM-DRW on the built-in long-tailed shapes: one half of the demo.

Not a row of the papers. Run both halves: python tools/demo.py

Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 97.12 ± 0.58 (30 epochs, batch 32; built-in synthetic shapes; seeds 0, 1, 2,
  3, 4; 0.02 h a run on AMD EPYC (AVX512), 1 thread(s)): demo_ldamdrw_synthetic
Run: python tools/demo.py
"""
_base_ = [
    '../_base_/models/resnet32_ldam.py', '../_base_/datasets/synthetic_lt.py',
    '../_base_/default_runtime.py', '../_base_/schedules/demo_30e.py'
]

model = dict(
    backbone=dict(depth=8),
    head=dict(num_classes=10),
    data_preprocessor=dict(augment=[]))
custom_hooks = [dict(type='gssl_mm.LDAMHook', drw_epoch=24)]
default_hooks = dict(
    logger=dict(interval=10), checkpoint=dict(interval=30, save_best=None))
result_label = 'built-in synthetic shapes'
