"""The lower right quadrant of the last map masked, always: ResNet-50 on Stanford Dogs.

Feature-transformation paper, figure 1.
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet50-mask4_dogs.py 0

Its class activation maps show what the other quadrants hold.
"""
_base_ = './resnet50-ce_dogs.py'

model = dict(
    neck=dict(_delete_=True, type='gssl_mm.FeatureMaskNeck', fixed_mask=4))
