"""Feature masks with self-distillation: ResNet-56 on CIFAR-100.

Feature-transformation paper, Table 1: SD 74.73 (mean of 4 runs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet56-ft-sd_cifar100.py 0 1 2 3

D21: the divergence is KL(teacher || student), the teacher without gradient.
"""
_base_ = './resnet56-ft_cifar100.py'

model = dict(head=dict(inference='distilled'))
