"""The gated ResNet-32 of long-tailed CIFAR with everything that may help.

Strong augmentation (AutoAugment's CIFAR policy and Cutout), balanced softmax
on the scaled cosines, averaged weights. What is deployed is the same
0.46 M-parameter ResNet-32.
"""
_base_ = './resnet32_gssl.py'

mean = [125.307, 122.961, 113.8575]
model = dict(
    head=dict(primary=dict(loss=dict(type='gssl_mm.BalancedSoftmaxLoss'))),
    data_preprocessor=dict(augment=[
        dict(type='gssl_mm.RandomCropFlip', padding=4),
        dict(type='gssl_mm.BatchAutoAugment', fill=mean),
        # Zero after the normalisation
        dict(type='gssl_mm.RandomCutout', size=16, fill=mean)
    ]))
custom_hooks = [
    # Class counts for the loss, no class weights
    dict(type='gssl_mm.LDAMHook', drw_epoch=None),
    dict(type='EMAHook', momentum=0.001, update_buffers=True)
]
