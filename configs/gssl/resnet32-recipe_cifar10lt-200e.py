"""Recipe on CIFAR-10-LT, ratio 0.01, 200 epochs.

Not a row of the papers. ProCo, a published recipe of others: 85.9 (200 epochs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-recipe_cifar10lt-200e.py 0
"""
_base_ = './resnet32-recipe_cifar10lt.py'

train_cfg = dict(max_epochs=200)
