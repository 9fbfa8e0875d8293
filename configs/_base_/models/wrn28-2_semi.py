"""WRN-28-2 as in FixMatch, on labelled images alone; averaged weights count."""
crop = dict(type='gssl_mm.RandomCropFlip', padding=4, padding_mode='reflect')
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='gssl_mm.WideResNet',
        depth=28,
        widen_factor=2,
        shared_act='first',
        norm_cfg=dict(type='BN', momentum=0.001, eps=1e-3),
        act_cfg=dict(type='LeakyReLU', negative_slope=0.1)),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=10,
        in_channels=128,
        loss=dict(type='CrossEntropyLoss'),
        # Glorot
        init_cfg=dict(
            type='Xavier', layer='Linear', distribution='normal', bias=0.)),
    data_preprocessor=dict(
        type='gssl_mm.PretextDataPreprocessor',
        # Pixels in [-1, 1]
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        to_rgb=False,
        augment=[crop],
        memory_format='channels_last'))
custom_hooks = [dict(type='gssl_mm.TeacherHook', decay=0.999)]
