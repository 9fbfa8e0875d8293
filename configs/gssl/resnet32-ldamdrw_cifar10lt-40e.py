"""LDAM-DRW on CIFAR-10-LT, ratio 0.01, 40 epochs.

The 200-epoch schedule with decays at 32 and 36 and re-weighting from 32: a smoke
test, not evidence.

Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 71.63 (40 epochs, batch 128, bf16; CIFAR-10 re-encoded as JPEG; seed 0; 0.56
  h a run on AMD EPYC, 1 thread(s)): resnet32-ldamdrw_cifar10lt-40e-bf16
- 71.53 (40 epochs, batch 128, bf16, compiled; CIFAR-10 re-encoded as JPEG;
  seed 0; 0.97 h a run on AMD EPYC, 1 thread(s)):
  resnet32-ldamdrw_cifar10lt-40e-bf16-compile
- 66.57 (40 epochs, batch 128, bf16; CIFAR-10 re-encoded as JPEG; seed 0; 1.15
  h a run on AMD EPYC, 1 thread(s)):
  resnet32-ldamdrw_cifar10lt-40e-bf16-nowarmup
- 67.25 (40 epochs, batch 128; CIFAR-10 re-encoded as JPEG; seed 0; 0.94 h a
  run on AMD EPYC, 1 thread(s)): resnet32-ldamdrw_cifar10lt-40e-fp32-nowarmup
Run: tools/run_seeds.sh configs/gssl/resnet32-ldamdrw_cifar10lt-40e.py 0
"""
_base_ = './resnet32-ldamdrw_cifar10lt.py'

param_scheduler = [
    _base_.param_scheduler[0],
    dict(_base_.param_scheduler[1], milestones=[32, 36])
]
train_cfg = dict(max_epochs=40)
custom_hooks = [dict(type='gssl_mm.LDAMHook', drw_epoch=32)]
