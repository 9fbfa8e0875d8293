"""Feature masks with self-distillation: ResNet-50 on Stanford Cars.

Feature-transformation paper, Table 4: SD 87.7 (mean of 4 runs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet50-ft-sd_cars.py 0 1 2 3
"""
_base_ = './resnet50-ft_cars.py'

model = dict(head=dict(inference='distilled'))
