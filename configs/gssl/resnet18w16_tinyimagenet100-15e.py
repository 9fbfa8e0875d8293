"""G-SSL (LoRot + flip + permutation, gated) on Tiny-ImageNet-100, 15 epochs.

The 400-epoch cosine within 15 epochs, a narrow net, 100 classes, crops from a
border: a smoke test, not evidence. Every training image is transformed.

Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 32.10 (5 epochs, batch 100; Tiny-ImageNet of 100 classes; with
  param_scheduler.0.T_max=5; seed 0; 0.47 h a run on AMD EPYC (AVX2), 1
  thread(s)): resnet18w16_tinyimagenet100-15e-5e
- 47.72 (15 epochs, batch 100, bf16; Tiny-ImageNet of 100 classes; seed 0; 1.02
  h a run on AMD EPYC, 1 thread(s)): resnet18w16_tinyimagenet100-15e-bf16
Run: tools/run_seeds.sh configs/gssl/resnet18w16_tinyimagenet100-15e.py 0
"""
_base_ = [
    '../_base_/models/resnet18w16_gssl.py',
    '../_base_/datasets/tinyimagenet100.py',
    '../_base_/schedules/tiny_15e.py', '../_base_/default_runtime.py'
]
