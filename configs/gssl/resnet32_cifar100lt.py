"""G-SSL (LoRot + flip + permutation, gated) on CIFAR-100-LT, ratio 0.01.

G-SSL paper, Table 1: 47.37 (best epoch).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32_cifar100lt.py 0

The switches are those of the released code (D1, D2, D3, D5, D6, D7). It reports
the best epoch on the test set; result.json has the last one too.
"""
_base_ = [
    '../_base_/models/resnet32_gssl.py', '../_base_/datasets/cifar100lt.py',
    '../_base_/schedules/cifarlt_300e.py', '../_base_/default_runtime.py'
]
