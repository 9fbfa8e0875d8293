"""WRN-40-2 of pixels in [0, 1], trained on attacked CIFAR-10 batches."""
_base_ = '../attacks/released.py'

model = dict(
    type='gssl_mm.AdversarialClassifier',
    backbone=dict(type='gssl_mm.WideResNet', depth=40, widen_factor=2),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=10,
        in_channels=128,
        loss=dict(type='CrossEntropyLoss'),
        # Weights as nn.Linear's, uniform below 1 / sqrt(in_channels), bias 0
        init_cfg=dict(
            type='Kaiming',
            layer='Linear',
            a=5**0.5,
            mode='fan_in',
            nonlinearity='leaky_relu',
            distribution='uniform')),
    attack=_base_.released_attack,
    attack_bn='train',
    # The network sees 2 x - 1
    mean=[0.5, 0.5, 0.5],
    std=[0.5, 0.5, 0.5],
    data_preprocessor=dict(
        type='gssl_mm.PretextDataPreprocessor',
        mean=[0., 0., 0.],
        std=[255., 255., 255.],
        to_rgb=False,
        augment=[dict(type='gssl_mm.RandomCropFlip', padding=4)],
        memory_format='channels_last'))
