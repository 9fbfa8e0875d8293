"""G-SSL (LoRot + permutation, gated): ResNet-18 on Tiny-ImageNet.

G-SSL paper, Table 3: 67.27 (best epoch).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet18-lorot-perm_tinyimagenet.py 0
"""
_base_ = './resnet18_tinyimagenet.py'

tasks = [
    dict(type='gssl_mm.LocalRotation'),
    dict(type='gssl_mm.LocalChannelPermutation'),
]
model = dict(
    head=dict(tasks=tasks),
    data_preprocessor=dict(pretext=dict(tasks=tasks)))
