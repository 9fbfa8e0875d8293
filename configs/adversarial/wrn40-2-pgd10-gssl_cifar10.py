"""PGD training with G-SSL (LoRot + flip + permutation, gated) on CIFAR-10.

G-SSL paper, Table 2: clean 81.7, PGD-20 53.2, PGD-100 53.3.
Measured here: not yet.
Run: TEST=1 tools/run_seeds.sh configs/adversarial/wrn40-2-pgd10-gssl_cifar10.py 0

The switches are those of the released code (D1, D2, D9, D10, D11).
The test tool reports clean accuracy, PGD-20 and PGD-100 in both protocols:
    python tools/test.py configs/adversarial/wrn40-2-pgd10-gssl_cifar10.py CHECKPOINT
"""
_base_ = [
    '../_base_/models/wrn40-2_adversarial_gssl.py', '../_base_/datasets/cifar10.py',
    '../_base_/schedules/adversarial_200e.py', '../_base_/default_runtime.py'
]
