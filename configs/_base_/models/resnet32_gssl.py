"""ResNet-32, LDAM and the three gated pretext tasks on long-tailed CIFAR.

The switches are those of the released long-tailed code: vertical flips (D3),
cosine task heads (D5), a detached gate (D1) on the mean of the logits (D2) with
Kaiming initialisation (D6).
"""
_base_ = './resnet32_ldam.py'

tasks = [
    dict(type='gssl_mm.LocalRotation'),
    dict(type='gssl_mm.LocalFlip', axis='vertical'),
    dict(type='gssl_mm.LocalChannelPermutation')
]
model = dict(
    head=dict(
        _delete_=True,
        type='gssl_mm.GatedMultiTaskHead',
        primary=dict(
            type='gssl_mm.CosineClsHead',
            num_classes=100,
            in_channels=64,
            loss=dict(type='gssl_mm.LDAMLoss')),
        tasks=tasks,
        in_channels=64,
        gate=dict(
            type='gssl_mm.SoftmaxGate',
            grad='detached',
            reduce='logit_mean',
            init='kaiming'),
        loss_weight=0.1,
        task_head='cosine'),
    data_preprocessor=dict(pretext=dict(tasks=tasks)))
