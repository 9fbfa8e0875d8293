"""PGD training with G-SSL (LoRot + permutation, gated) on CIFAR-10.

G-SSL paper, Table 2: clean 81.94, PGD-20 52.6, PGD-100 52.6.
Measured here: not yet.
Run: TEST=1 tools/run_seeds.sh configs/adversarial/wrn40-2-pgd10-lorot-perm_cifar10.py 0
"""
_base_ = './wrn40-2-pgd10-gssl_cifar10.py'

tasks = [
    dict(type='gssl_mm.LocalRotation'),
    dict(type='gssl_mm.LocalChannelPermutation'),
]
model = dict(
    head=dict(tasks=tasks),
    data_preprocessor=dict(pretext=dict(tasks=tasks)))
