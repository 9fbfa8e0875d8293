"""Flip + permutation with a learned gate, LoRot off, on CIFAR-10-LT, ratio 0.01.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-learnedgate-nolorot_cifar10lt.py 0

What a gate that learns by equation 3 should be compared with: it turns to the
tasks with small losses, and LoRot's is the largest.
"""
_base_ = './resnet32-learnedgate_cifar10lt.py'

tasks = [
    dict(type='gssl_mm.LocalFlip', axis='vertical'),
    dict(type='gssl_mm.LocalChannelPermutation'),
]
model = dict(
    head=dict(tasks=tasks),
    data_preprocessor=dict(pretext=dict(tasks=tasks)))
