"""Tiny-ImageNet; its validation set is the test set."""
_base_ = './cifar10.py'

source = dict(type='gssl_mm.TinyImageNet', data_root='data/tiny-imagenet-200')
train_dataloader = dict(dataset=source)
held_out = dict(
    split='val',
    pipeline=[
        dict(type='gssl_mm.RGBImage', size=64),
        dict(type='PackInputs')
    ],
    **source)
val_dataloader = dict(dataset=held_out)
test_dataloader = dict(dataset=held_out)
