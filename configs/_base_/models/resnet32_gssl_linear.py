"""ResNet-32 with linear heads and the three gated pretext tasks on CIFAR-10.

The switches are those of the first author's Grad-CAM code: vertical flips (D3),
a detached gate (D1) on the mean of the logits (D2), ImageNet's mean and
deviation, PyTorch's own initialisation of every linear layer.
"""
tasks = [
    dict(type='gssl_mm.LocalRotation'),
    dict(type='gssl_mm.LocalFlip', axis='vertical'),
    dict(type='gssl_mm.LocalChannelPermutation')
]
model = dict(
    type='ImageClassifier',
    backbone=dict(type='gssl_mm.CIFARResNet', depth=32),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='gssl_mm.GatedMultiTaskHead',
        primary=dict(
            type='LinearClsHead',
            num_classes=10,
            in_channels=64,
            loss=dict(type='CrossEntropyLoss'),
            init_cfg=None),
        tasks=tasks,
        in_channels=64,
        gate=dict(
            type='gssl_mm.SoftmaxGate', grad='detached', reduce='logit_mean'),
        loss_weight=0.1),
    data_preprocessor=dict(
        type='gssl_mm.PretextDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        to_rgb=False,
        augment=[dict(type='gssl_mm.RandomCropFlip', padding=4)],
        pretext=dict(tasks=tasks),
        memory_format='channels_last'))
