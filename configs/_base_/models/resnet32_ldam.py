"""ResNet-32 with LDAM's cosine classifier on long-tailed CIFAR."""
model = dict(
    type='ImageClassifier',
    backbone=dict(type='gssl_mm.CIFARResNet', depth=32),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='gssl_mm.CosineClsHead',
        num_classes=100,
        in_channels=64,
        loss=dict(type='gssl_mm.LDAMLoss')),
    data_preprocessor=dict(
        type='gssl_mm.PretextDataPreprocessor',
        # 0.4914, 0.4822, 0.4465 and 0.2023, 0.1994, 0.2010 of 255
        mean=[125.307, 122.961, 113.8575],
        std=[51.5865, 50.847, 51.255],
        to_rgb=False,
        augment=[dict(type='gssl_mm.RandomCropFlip', padding=4)],
        memory_format='channels_last'))
custom_hooks = [dict(type='gssl_mm.LDAMHook', drw_epoch=160)]
