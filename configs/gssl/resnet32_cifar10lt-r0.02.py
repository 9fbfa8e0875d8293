"""G-SSL (LoRot + flip + permutation, gated) on CIFAR-10-LT, ratio 0.02.

G-SSL paper, Table 1: 84.65 (best epoch).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32_cifar10lt-r0.02.py 0
"""
_base_ = './resnet32_cifar10lt.py'

train_dataloader = dict(dataset=dict(imbalance_ratio=0.02))
