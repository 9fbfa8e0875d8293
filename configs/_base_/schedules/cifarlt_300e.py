"""The 200-epoch schedule, prolonged at its last learning rate (D7)."""
_base_ = './cifarlt_200e.py'

train_cfg = dict(max_epochs=300)
