"""ResNet-18 with the three gated pretext tasks for 64x64 images.

The switches are those of the released code for Tiny-ImageNet: left-right flips,
a detached gate (D1) on the mean of the probabilities (D2), PyTorch's own
initialisation of all heads.
"""
_base_ = './resnet18_ce.py'

tasks = [
    dict(type='gssl_mm.LocalRotation'),
    dict(type='gssl_mm.LocalFlip', axis='horizontal'),
    dict(type='gssl_mm.LocalChannelPermutation')
]
model = dict(
    head=dict(
        _delete_=True,
        type='gssl_mm.GatedMultiTaskHead',
        primary=_base_.model.head,
        tasks=tasks,
        in_channels=512,
        gate=dict(
            type='gssl_mm.SoftmaxGate', grad='detached', reduce='prob_mean'),
        loss_weight=0.1),
    data_preprocessor=dict(pretext=dict(tasks=tasks)))
