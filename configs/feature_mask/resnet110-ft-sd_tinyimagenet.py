"""Feature masks with self-distillation: ResNet-110 on Tiny-ImageNet.

Feature-transformation paper, Table 3: SD 64.14 (mean of 4 runs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet110-ft-sd_tinyimagenet.py 0 1 2 3
"""
_base_ = './resnet110-ft_tinyimagenet.py'

model = dict(head=dict(inference='distilled'))
