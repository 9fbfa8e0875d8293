"""CIFAR-100."""
_base_ = './cifar10.py'

source = dict(type='gssl_mm.CIFAR100', data_root='data/cifar100')
train_dataloader = dict(dataset=source)
val_dataloader = dict(dataset=source)
test_dataloader = dict(dataset=source)
