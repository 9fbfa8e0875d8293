"""G-SSL (LoRot + flip, gated) on CIFAR-100-LT, ratio 0.02.

G-SSL paper, Table 1: 49.96 (best epoch).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-lorot-flip_cifar100lt-r0.02.py 0
"""
_base_ = './resnet32-lorot-flip_cifar100lt.py'

train_dataloader = dict(dataset=dict(imbalance_ratio=0.02))
