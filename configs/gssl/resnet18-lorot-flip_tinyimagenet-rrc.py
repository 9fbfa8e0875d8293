"""G-SSL (LoRot + flip, gated): ResNet-18 on Tiny-ImageNet, crops of random size.

Not a row of the paper: the augmentation of its mixup rows (D12).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet18-lorot-flip_tinyimagenet-rrc.py 0
"""
_base_ = './resnet18-lorot-flip_tinyimagenet.py'

model = dict(
    data_preprocessor=dict(
        augment=[dict(type='gssl_mm.RandomResizedCropFlip')]))
