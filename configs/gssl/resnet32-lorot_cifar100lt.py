"""LDAM-DRW + LoRot-E on CIFAR-100-LT, ratio 0.01.

G-SSL paper, Table 1: 46.48 (best epoch).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-lorot_cifar100lt.py 0
"""
_base_ = './resnet32_cifar100lt.py'

tasks = [
    dict(type='gssl_mm.LocalRotation'),
]
model = dict(
    head=dict(tasks=tasks, gate=None),
    data_preprocessor=dict(pretext=dict(tasks=tasks)))
train_cfg = dict(max_epochs=200)
