"""Transformed images, lambda 0, ResNet-8, on CIFAR-10-LT, ratio 0.01, 15 epochs.

Not a row of the papers: resnet8-lambda2_cifar10lt-15e.py with a quadrant of every
image transformed and nothing learnt from it.

Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 47.61 ± 0.68 (15 epochs, batch 128, bf16; CIFAR-10 re-encoded as JPEG; seeds
  0, 1, 2, 3, 4; 0.05 h a run on AMD EPYC (AVX512), 1 thread(s)):
  resnet8-lambda0_cifar10lt-15e-bf16
Run: tools/run_seeds.sh configs/gssl/resnet8-lambda0_cifar10lt-15e.py 0
"""
_base_ = './resnet8-lambda2_cifar10lt-15e.py'

model = dict(head=dict(loss_weight=0.))
