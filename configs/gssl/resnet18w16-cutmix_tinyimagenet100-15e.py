"""CutMix on Tiny-ImageNet-100, 15 epochs.

The 400-epoch cosine within 15 epochs, a narrow net, 100 classes, crops from a
border: a smoke test, not evidence.

Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 26.24 (5 epochs, batch 100; Tiny-ImageNet of 100 classes; with
  param_scheduler.0.T_max=5; seed 0; 0.51 h a run on AMD EPYC (AVX2), 1
  thread(s)): resnet18w16-cutmix_tinyimagenet100-15e-5e
Run: tools/run_seeds.sh configs/gssl/resnet18w16-cutmix_tinyimagenet100-15e.py 0
"""
_base_ = './resnet18w16-ce_tinyimagenet100-15e.py'

model = dict(
    data_preprocessor=dict(
        batch_augments=dict(augments=dict(type='CutMix', alpha=1.))))
