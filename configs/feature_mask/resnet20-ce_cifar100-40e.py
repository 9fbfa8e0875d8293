"""Baseline: ResNet-20 on CIFAR-100, 40 epochs.

Not a row of the papers.
Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 33.32 (8 epochs, batch 128, bf16; stand-in of CIFAR-100's size; with
  param_scheduler.0.milestones=[4, 6]; seed 0; 0.91 h a run on AMD EPYC, 1
  thread(s)): resnet20-ce_cifar100-40e-bf16-8e
Run: tools/run_seeds.sh configs/feature_mask/resnet20-ce_cifar100-40e.py 0

The 300-epoch schedule scaled down (decays at 20 and 30): a smoke test, not
evidence.
"""
_base_ = './resnet110-ce_cifar100.py'

model = dict(
    backbone=dict(depth=20, block='basic'),
    head=dict(in_channels=64))
param_scheduler = [dict(type='MultiStepLR', milestones=[20, 30], gamma=0.1)]
train_cfg = dict(max_epochs=40)
