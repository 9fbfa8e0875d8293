"""Feature masks with Cutout, its public recipe: ResNet-110 on CIFAR-100.

Feature-transformation paper, Table 2: AG 78.55, if meant so (D23).
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet110-ft-cutout_cifar100-public.py 0 1 2 3
"""
_base_ = './resnet110-ft-cutout_cifar100.py'

optim_wrapper = dict(optimizer=dict(weight_decay=5e-4, nesterov=True))
param_scheduler = [
    dict(type='MultiStepLR', milestones=[60, 120, 160], gamma=0.2)
]
train_cfg = dict(max_epochs=200)
