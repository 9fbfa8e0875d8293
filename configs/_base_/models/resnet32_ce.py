"""ResNet-32 with a linear classifier and cross-entropy on long-tailed CIFAR."""
_base_ = './resnet32_ldam.py'

model = dict(
    head=dict(
        _delete_=True,
        type='LinearClsHead',
        num_classes=100,
        in_channels=64,
        loss=dict(type='CrossEntropyLoss'),
        init_cfg=dict(
            type='Kaiming',
            layer='Linear',
            mode='fan_in',
            nonlinearity='relu')))
custom_hooks = []
