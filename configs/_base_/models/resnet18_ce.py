"""ResNet-18 with a 3x3 stem and a linear classifier for 64x64 images.

Weights begin as in the released code: Kaiming for all convolutions but the
stem, which has PyTorch's own initialisation, as the classifier has.
"""
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ResNet_CIFAR',
        depth=18,
        zero_init_residual=False,
        init_cfg=[
            dict(
                type='Kaiming',
                layer='Conv2d',
                override=dict(
                    type='Kaiming',
                    name='conv1',
                    a=5**0.5,
                    mode='fan_in',
                    nonlinearity='leaky_relu',
                    distribution='uniform')),
            dict(type='Constant', val=1, layer='_BatchNorm')
        ]),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=200,
        in_channels=512,
        # One-hot labels that were mixed are soft
        loss=dict(type='CrossEntropyLoss', use_soft=True),
        # That of nn.Linear
        init_cfg=None),
    data_preprocessor=dict(
        type='gssl_mm.PretextDataPreprocessor',
        num_classes=200,
        to_onehot=True,
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        augment=[dict(type='gssl_mm.RandomCropFlip', padding=4)],
        memory_format='channels_last'))
