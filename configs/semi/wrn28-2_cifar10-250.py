"""WRN-28-2 on the labelled images alone on CIFAR-10 with 250 labels.

Not a row of the G-SSL paper.
Measured here: not yet.
Run: tools/run_seeds.sh configs/semi/wrn28-2_cifar10-250.py 0
"""
_base_ = './wrn28-2_cifar10-4000.py'

train_dataloader = dict(dataset=dict(num_labeled=250))
