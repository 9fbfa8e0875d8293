"""Recipe without averaged weights on CIFAR-10-LT, ratio 0.01.

Not a row of the papers: the ablation of the recipe.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-recipe-noema_cifar10lt.py 0
"""
_base_ = './resnet32-recipe_cifar10lt.py'

custom_hooks = [dict(type='gssl_mm.LDAMHook', drw_epoch=None)]
