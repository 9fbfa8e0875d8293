"""G-SSL (LoRot + flip, gated) on CIFAR-10-LT, ratio 0.01.

G-SSL paper, Table 1: 81.65 (best epoch).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-lorot-flip_cifar10lt.py 0
"""
_base_ = './resnet32_cifar10lt.py'

tasks = [
    dict(type='gssl_mm.LocalRotation'),
    dict(type='gssl_mm.LocalFlip', axis='vertical'),
]
model = dict(
    head=dict(tasks=tasks),
    data_preprocessor=dict(pretext=dict(tasks=tasks)))
