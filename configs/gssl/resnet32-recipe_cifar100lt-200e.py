"""Recipe on CIFAR-100-LT, ratio 0.01, 200 epochs.

Not a row of the papers. ProCo, a published recipe of others: 52.8 (200 epochs), 54.2 (400 epochs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-recipe_cifar100lt-200e.py 0
"""
_base_ = './resnet32-recipe_cifar100lt.py'

train_cfg = dict(max_epochs=200)
