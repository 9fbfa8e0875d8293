"""ResNet-18 as OpenMixup trains it: the host's initialisation, other crops.

The last normalisation of a residual branch begins at zero; crops have random
sizes (D12).
"""
_base_ = './resnet18_ce.py'

model = dict(
    backbone=dict(
        zero_init_residual=True,
        init_cfg=[
            dict(type='Kaiming', layer='Conv2d'),
            dict(type='Constant', val=1, layer='_BatchNorm')
        ]),
    head=dict(init_cfg=dict(
        _delete_=True, type='Normal', layer='Linear', std=0.01)),
    data_preprocessor=dict(
        augment=[dict(type='gssl_mm.RandomResizedCropFlip')]))
