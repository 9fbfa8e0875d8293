"""Feature masks with self-distillation: ResNet-164 on CIFAR-100.

Feature-transformation paper, Table 1: SD 77.95 (mean of 4 runs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet164-ft-sd_cifar100.py 0 1 2 3

D21: the divergence is KL(teacher || student), the teacher without gradient.
"""
_base_ = './resnet164-ft_cifar100.py'

model = dict(head=dict(inference='distilled'))
