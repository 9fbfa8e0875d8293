"""G-SSL (all tasks), linear heads, lambda 2, ResNet-8, on CIFAR-10-LT, 15 epochs.

Not a row of the papers: a run on real images small enough for all gates and five
seeds on a CPU. LoRot is learnt in part, permutations hardly, flips not at all. The
200-epoch schedule with decays at 12 and 14 and re-weighting from 12.

Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 48.27 ± 0.80 (15 epochs, batch 128, bf16; CIFAR-10 re-encoded as JPEG; seeds
  0, 1, 2, 3, 4; 0.04 h a run on AMD EPYC (AVX512), 1 thread(s)):
  resnet8-lambda2_cifar10lt-15e-bf16
Run: tools/run_seeds.sh configs/gssl/resnet8-lambda2_cifar10lt-15e.py 0
"""
_base_ = './resnet32-lambda1_cifar10lt.py'

model = dict(backbone=dict(depth=8), head=dict(loss_weight=2.))
param_scheduler = [
    _base_.param_scheduler[0],
    dict(_base_.param_scheduler[1], milestones=[12, 14])
]
train_cfg = dict(max_epochs=15, val_interval=5)
custom_hooks = [dict(type='gssl_mm.LDAMHook', drw_epoch=12)]
