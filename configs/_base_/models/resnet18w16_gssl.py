"""A quarter of ResNet-18's width, and a stride in its first stage, with G-SSL.

Maps of 64x64x16, 32x32x16, 16x16x32, 8x8x64 and 4x4x128: a sixtieth of the
work, for a CPU.
"""
_base_ = './resnet18_gssl.py'

model = dict(
    backbone=dict(
        stem_channels=16, base_channels=16, strides=(2, 2, 2, 2)),
    head=dict(
        in_channels=128, primary=dict(in_channels=128, num_classes=100)),
    data_preprocessor=dict(num_classes=100))
