"""ResNet-50 from scratch with a linear classifier on CUB-200-2011."""
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ResNet',
        depth=50,
        out_indices=(3, ),
        style='pytorch',
        zero_init_residual=False),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=200,
        in_channels=2048,
        loss=dict(type='CrossEntropyLoss'),
        # That of nn.Linear
        init_cfg=None),
    data_preprocessor=dict(
        type='gssl_mm.PretextDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        # Files are decoded as BGR
        to_rgb=True,
        memory_format='channels_last'))
