"""Recipe without AutoAugment and Cutout on CIFAR-10-LT, ratio 0.01, 40 epochs.

The 400-epoch schedule scaled down (a warm-up of one epoch, weights averaged over
a tenth as many steps): a smoke test, not evidence.

Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 71.61 (40 epochs, batch 128, bf16; CIFAR-10 re-encoded as JPEG; seed 0; 0.48
  h a run on AMD EPYC (AVX512), 1 thread(s)):
  resnet32-recipe-noaug_cifar10lt-40e-bf16
Run: tools/run_seeds.sh configs/gssl/resnet32-recipe-noaug_cifar10lt-40e.py 0
"""
_base_ = './resnet32-recipe-noaug_cifar10lt.py'

param_scheduler = [
    dict(_base_.param_scheduler[0], end=1), _base_.param_scheduler[1]
]
train_cfg = dict(max_epochs=40)
custom_hooks = [
    _base_.custom_hooks[0], dict(_base_.custom_hooks[1], momentum=0.01)
]
