"""G-SSL (all tasks) with a gate that learns by equation 3 on CIFAR-100-LT, ratio 0.02.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-learnedgate_cifar100lt-r0.02.py 0
"""
_base_ = './resnet32-learnedgate_cifar100lt.py'

train_dataloader = dict(dataset=dict(imbalance_ratio=0.02))
