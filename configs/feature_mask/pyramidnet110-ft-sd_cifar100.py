"""Feature masks with self-distillation: PyramidNet-110, alpha 270 on CIFAR-100.

Feature-transformation paper, Table 1: SD 82.67 (mean of 4 runs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/pyramidnet110-ft-sd_cifar100.py 0 1 2 3

D21: the divergence is KL(teacher || student), the teacher without gradient.
"""
_base_ = './pyramidnet110-ft_cifar100.py'

model = dict(head=dict(inference='distilled'))
