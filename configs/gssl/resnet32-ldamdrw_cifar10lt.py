"""LDAM-DRW on CIFAR-10-LT, ratio 0.01.

G-SSL paper, Table 1: 77.03 (best epoch).
Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 71.78 (200 epochs, batch 128, bf16; CIFAR-10 re-encoded as JPEG; seed 0; 2.81
  h a run on AMD EPYC, 1 thread(s)): resnet32-ldamdrw_cifar10lt-bf16-200e
Run: tools/run_seeds.sh configs/gssl/resnet32-ldamdrw_cifar10lt.py 0

D17: the paper cites this figure, it did not measure it.
"""
_base_ = [
    '../_base_/models/resnet32_ldam.py', '../_base_/datasets/cifar10lt.py',
    '../_base_/schedules/cifarlt_200e.py', '../_base_/default_runtime.py'
]

model = dict(head=dict(num_classes=10))
