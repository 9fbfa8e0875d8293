"""SLA with self-distillation: ResNet-110 on CIFAR-100.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet110-sla-sd_cifar100.py 0 1 2 3
"""
_base_ = './resnet110-sla_cifar100.py'

model = dict(head=dict(inference='distilled'))
