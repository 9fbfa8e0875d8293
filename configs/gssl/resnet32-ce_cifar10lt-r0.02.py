"""Cross-entropy on CIFAR-10-LT, ratio 0.02.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-ce_cifar10lt-r0.02.py 0
"""
_base_ = './resnet32-ce_cifar10lt.py'

train_dataloader = dict(dataset=dict(imbalance_ratio=0.02))
