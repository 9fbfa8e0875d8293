"""LoRot-E: ResNet-18 on Tiny-ImageNet.

G-SSL paper, Table 3: 66.52 (best epoch).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet18-lorot_tinyimagenet.py 0
"""
_base_ = './resnet18_tinyimagenet.py'

tasks = [
    dict(type='gssl_mm.LocalRotation'),
]
model = dict(
    head=dict(tasks=tasks, gate=None),
    data_preprocessor=dict(pretext=dict(tasks=tasks)))
