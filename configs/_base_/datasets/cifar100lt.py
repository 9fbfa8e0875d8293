"""Long-tailed CIFAR-100, ratio 0.01, and its full test set."""
_base_ = './cifar10lt.py'

source = dict(type='gssl_mm.CIFAR100', data_root='data/cifar100')
train_dataloader = dict(dataset=dict(dataset=source))
val_dataloader = dict(dataset=source)
test_dataloader = dict(dataset=source)
