"""LDAM-DRW + SLA-SD on CIFAR-100-LT, ratio 0.05.

G-SSL paper, Table 1: no figure.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-slasd_cifar100lt-r0.05.py 0
"""
_base_ = './resnet32-slasd_cifar100lt.py'

train_dataloader = dict(dataset=dict(imbalance_ratio=0.05))
