"""G-SSL (LoRot + flip + permutation, gated) on CIFAR-10-LT, ratio 0.01.

G-SSL paper, Table 1: 81.67 (best epoch).
Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 76.64 (200 epochs, batch 128, bf16; CIFAR-10 re-encoded as JPEG; seed 0; 4.81
  h a run on AMD EPYC, 1 thread(s)): resnet32_cifar10lt-bf16-200e
Run: tools/run_seeds.sh configs/gssl/resnet32_cifar10lt.py 0

The switches are those of the released code (D1, D2, D3, D5, D6, D7). It reports
the best epoch on the test set; result.json has the last one too.
"""
_base_ = [
    '../_base_/models/resnet32_gssl.py', '../_base_/datasets/cifar10lt.py',
    '../_base_/schedules/cifarlt_300e.py', '../_base_/default_runtime.py'
]

model = dict(head=dict(primary=dict(num_classes=10)))
