"""Baseline: ResNet-20 on CIFAR-10, 40 epochs.

Not a row of the papers.
Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 81.61 (12 epochs, batch 128, bf16; CIFAR-10 re-encoded as JPEG; with
  param_scheduler.0.milestones=[6, 9]; seed 0; 0.55 h a run on AMD EPYC, 1
  thread(s)): resnet20-ce_cifar10-40e-bf16-12e
Run: tools/run_seeds.sh configs/feature_mask/resnet20-ce_cifar10-40e.py 0

The 300-epoch schedule scaled down (decays at 20 and 30): a smoke test, not
evidence.
"""
_base_ = './resnet20-ce_cifar100-40e.py'

source = dict(type='gssl_mm.CIFAR10', data_root='data/cifar10')
model = dict(
    head=dict(num_classes=10),
    data_preprocessor=dict(
        mean=[125.307, 122.961, 113.8575], std=[51.5865, 50.847, 51.255]))
train_dataloader = dict(dataset=source)
val_dataloader = dict(dataset=source)
test_dataloader = dict(dataset=source)
