"""G-SSL (LoRot + permutation, gated) on CIFAR-10-LT, ratio 0.01.

G-SSL paper, Table 1: 81.91 (best epoch).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-lorot-perm_cifar10lt.py 0
"""
_base_ = './resnet32_cifar10lt.py'

tasks = [
    dict(type='gssl_mm.LocalRotation'),
    dict(type='gssl_mm.LocalChannelPermutation'),
]
model = dict(
    head=dict(tasks=tasks),
    data_preprocessor=dict(pretext=dict(tasks=tasks)))
