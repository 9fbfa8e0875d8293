"""Baseline on Tiny-ImageNet-100, 15 epochs.

The 400-epoch cosine within 15 epochs, a narrow net, 100 classes, crops from a
border: a smoke test, not evidence.

Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 36.98 (5 epochs, batch 100; Tiny-ImageNet of 100 classes; with
  param_scheduler.0.T_max=5; seed 0; 0.72 h a run on AMD EPYC (AVX2), 1
  thread(s)): resnet18w16-ce_tinyimagenet100-15e-5e
Run: tools/run_seeds.sh configs/gssl/resnet18w16-ce_tinyimagenet100-15e.py 0
"""
_base_ = './resnet18w16_tinyimagenet100-15e.py'

model = dict(
    head=dict(
        _delete_=True,
        type='LinearClsHead',
        num_classes=100,
        in_channels=128,
        loss=dict(type='CrossEntropyLoss', use_soft=True),
        init_cfg=None),
    data_preprocessor=dict(pretext=None))
