"""Tiny-ImageNet; its validation set is the test set."""
_base_ = './cifar10.py'

source = dict(type='gssl_mm.TinyImageNet', data_root='data/tiny-imagenet-200')
train_dataloader = dict(dataset=source)
val_dataloader = dict(dataset=dict(split='val', **source))
test_dataloader = dict(dataset=dict(split='val', **source))
