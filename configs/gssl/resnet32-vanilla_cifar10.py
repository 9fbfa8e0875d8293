"""Cross-entropy alone on balanced CIFAR-10.

The column "vanilla" of G-SSL paper, Figures 7 and 8; it gives no accuracy for it.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-vanilla_cifar10.py 0

The paper's network seems to be a public pretrained one; here it is trained like
the other three.
"""
_base_ = './resnet32_cifar10.py'

model = dict(
    head=dict(
        _delete_=True,
        type='LinearClsHead',
        num_classes=10,
        in_channels=64,
        loss=dict(type='CrossEntropyLoss'),
        init_cfg=None),
    data_preprocessor=dict(pretext=None))
