"""Recipe without pretext tasks on CIFAR-10-LT, ratio 0.01.

Not a row of the papers: the ablation of the recipe.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-recipe-nopretext_cifar10lt.py 0
"""
_base_ = './resnet32-recipe_cifar10lt.py'

model = dict(
    head=dict(
        _delete_=True,
        type='gssl_mm.CosineClsHead',
        num_classes=10,
        in_channels=64,
        loss=dict(type='gssl_mm.BalancedSoftmaxLoss')),
    data_preprocessor=dict(pretext=None))
