"""Feature masks with self-distillation: ResNet-50 on CUB-200-2011.

Feature-transformation paper, Table 4: SD 73.63 (mean of 4 runs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet50-ft-sd_cub.py 0 1 2 3
"""
_base_ = './resnet50-ft_cub.py'

model = dict(head=dict(inference='distilled'))
