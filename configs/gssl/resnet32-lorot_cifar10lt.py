"""LDAM-DRW + LoRot-E on CIFAR-10-LT, ratio 0.01.

G-SSL paper, Table 1: 81.82 (best epoch).
Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 76.21 (200 epochs, batch 128, bf16; CIFAR-10 re-encoded as JPEG; seed 0; 2.56
  h a run on AMD EPYC, 1 thread(s)): resnet32-lorot_cifar10lt-bf16-200e
Run: tools/run_seeds.sh configs/gssl/resnet32-lorot_cifar10lt.py 0
"""
_base_ = './resnet32_cifar10lt.py'

tasks = [
    dict(type='gssl_mm.LocalRotation'),
]
model = dict(
    head=dict(tasks=tasks, gate=None),
    data_preprocessor=dict(pretext=dict(tasks=tasks)))
train_cfg = dict(max_epochs=200)
