"""The first 100 classes of Tiny-ImageNet; validation images are the test set."""
_base_ = './tinyimagenet.py'

root = 'data/tiny-imagenet-100'
train_dataloader = dict(dataset=dict(data_root=root))
val_dataloader = dict(dataset=dict(data_root=root))
test_dataloader = dict(dataset=dict(data_root=root))
