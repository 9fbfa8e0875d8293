"""LDAM-DRW + LoRot-E on CIFAR-10-LT, ratio 0.05.

G-SSL paper, Table 1: 86.67 (best epoch).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-lorot_cifar10lt-r0.05.py 0
"""
_base_ = './resnet32-lorot_cifar10lt.py'

train_dataloader = dict(dataset=dict(imbalance_ratio=0.05))
