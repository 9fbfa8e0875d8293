"""Feature masks with self-distillation: ResNet-20 on CIFAR-100, 40 epochs.

Not a row of the papers.
Measured here: docs/results.md.
Run: tools/run_seeds.sh configs/feature_mask/resnet20-ft-sd_cifar100-40e.py 0

The 300-epoch schedule scaled down (decays at 20 and 30): a smoke test, not
evidence.
"""
_base_ = './resnet20-ft_cifar100-40e.py'

model = dict(head=dict(inference='distilled'))
