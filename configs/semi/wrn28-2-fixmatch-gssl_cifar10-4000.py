"""FixMatch with G-SSL (LoRot + flip + permutation, gated) on CIFAR-10 with 4,000 labels.

G-SSL paper, Table 4: 94.95.
Measured here: not yet.
Run: tools/run_seeds.sh configs/semi/wrn28-2-fixmatch-gssl_cifar10-4000.py 0

All views are transformed in place (D16), lambda is 0.3 (D15).
"""
_base_ = [
    '../_base_/models/wrn28-2_fixmatch_gssl.py', '../_base_/datasets/cifar10_semi.py',
    '../_base_/schedules/fixmatch_1m.py'
]
