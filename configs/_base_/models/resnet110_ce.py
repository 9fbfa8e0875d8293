"""ResNet-110 (bottleneck, D19) with a linear classifier on CIFAR-100."""
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='gssl_mm.CIFARResNet',
        depth=110,
        block='bottleneck',
        shortcut='B',
        conv_init='fan_out'),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=100,
        in_channels=256,
        loss=dict(type='CrossEntropyLoss'),
        # That of nn.Linear
        init_cfg=None),
    data_preprocessor=dict(
        type='gssl_mm.PretextDataPreprocessor',
        # 0.5071, 0.4865, 0.4409 and 0.2673, 0.2564, 0.2762 of 255
        mean=[129.3105, 124.0575, 112.4295],
        std=[68.1615, 65.382, 70.431],
        to_rgb=False,
        augment=[dict(type='gssl_mm.RandomCropFlip', padding=4)],
        memory_format='channels_last'))
