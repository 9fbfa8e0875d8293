"""Feature masks, beta 0.2: ResNet-110 on CIFAR-100.

Feature-transformation paper, figure 4.
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet110-ft_cifar100-beta0.2.py 0 1 2 3

Beta 1 is resnet110-ft_cifar100.py.
"""
_base_ = './resnet110-ft_cifar100.py'

model = dict(head=dict(beta=0.2))
