"""LDAM-DRW after SSP, stage 2 on CIFAR-100-LT, ratio 0.05.

G-SSL paper, Table 1: no figure.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-ssp_cifar100lt-r0.05.py 0
"""
_base_ = './resnet32-ssp_cifar100lt.py'

train_dataloader = dict(dataset=dict(imbalance_ratio=0.05))
model = dict(
    backbone=dict(
        init_cfg=dict(
            checkpoint='work_dirs/resnet32-ssp-pretrain_cifar100lt-r0.05/seed0/best_*.pth')))
