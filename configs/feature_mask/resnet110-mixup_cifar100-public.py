"""Mixup, its public recipe: ResNet-110 on CIFAR-100.

Feature-transformation paper, Table 2: 77.58, if meant so (D23).
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet110-mixup_cifar100-public.py 0 1 2 3
"""
_base_ = './resnet110-mixup_cifar100.py'

param_scheduler = [dict(type='MultiStepLR', milestones=[100, 150], gamma=0.1)]
train_cfg = dict(max_epochs=200)
