"""LoRot-E on balanced CIFAR-10.

The column "LoRot" of G-SSL paper, Figures 7 and 8; it gives no accuracy for it.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-lorot_cifar10.py 0
"""
_base_ = './resnet32_cifar10.py'

tasks = [
    dict(type='gssl_mm.LocalRotation'),
]
model = dict(
    head=dict(tasks=tasks, gate=None),
    data_preprocessor=dict(pretext=dict(tasks=tasks)))
