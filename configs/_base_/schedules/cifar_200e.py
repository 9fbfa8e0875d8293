"""200 epochs: lr 0.1, a tenth from epoch 100, a hundredth from 150."""
_base_ = './ft_300e.py'

param_scheduler = [
    dict(type='MultiStepLR', milestones=[100, 150], gamma=0.1, by_epoch=True)
]
train_cfg = dict(max_epochs=200)
