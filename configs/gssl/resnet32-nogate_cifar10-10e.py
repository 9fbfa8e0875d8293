"""LoRot + flip + permutation without a gate on balanced CIFAR-10, 10 epochs.

For Figures 7 and 8 on a CPU.
Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 77.11 (10 epochs, batch 128, bf16; CIFAR-10 re-encoded as JPEG; seed 0; 0.51
  h a run on AMD EPYC, 1 thread(s)): resnet32-nogate_cifar10-10e-bf16
Run: tools/run_seeds.sh configs/gssl/resnet32-nogate_cifar10-10e.py 0

The 200-epoch schedule scaled down (decays at 5 and 8): a smoke test, not
evidence.
"""
_base_ = './resnet32-nogate_cifar10.py'

param_scheduler = [
    dict(type='MultiStepLR', milestones=[5, 8], gamma=0.1, by_epoch=True)
]
train_cfg = dict(max_epochs=10)
