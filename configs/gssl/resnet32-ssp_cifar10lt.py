"""LDAM-DRW after SSP, stage 2 on CIFAR-10-LT, ratio 0.01.

G-SSL paper, Table 1: 77.83 (best epoch).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-ssp_cifar10lt.py 0

Train resnet32-ssp-pretrain_cifar10lt.py first: this starts from its best epoch, by
the accuracy of rotations. model.backbone.init_cfg.checkpoint=... names another.
"""
_base_ = './resnet32-ldamdrw_cifar10lt.py'

model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            prefix='backbone.',
            checkpoint='work_dirs/resnet32-ssp-pretrain_cifar10lt/seed0/best_*.pth')))
