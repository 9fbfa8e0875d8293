"""The cosine of 400 epochs within 15."""
_base_ = './tiny_400e.py'

param_scheduler = [
    dict(type='CosineAnnealingLR', T_max=15, eta_min=0., by_epoch=True)
]
train_cfg = dict(max_epochs=15)
