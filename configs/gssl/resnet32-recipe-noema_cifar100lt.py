"""Recipe without averaged weights on CIFAR-100-LT, ratio 0.01.

Not a row of the papers: the ablation of the recipe.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-recipe-noema_cifar100lt.py 0
"""
_base_ = './resnet32-recipe_cifar100lt.py'

custom_hooks = [dict(type='gssl_mm.LDAMHook', drw_epoch=None)]
