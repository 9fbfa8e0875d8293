"""LDAM-DRW on the built-in long-tailed shapes: one half of the demo.

Not a row of the papers. Run both halves: python tools/demo.py

Measured here: not yet.
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
