"""Recipe: AutoAugment, Cutout, balanced softmax, EMA and G-SSL on CIFAR-100-LT, 0.01.

Not a row of the papers. ProCo, a published recipe of others: 52.8 (200 epochs), 54.2 (400 epochs).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-recipe_cifar100lt.py 0

400 epochs with a cosine. The other recipe leaves take one part away, or epochs.
"""
_base_ = [
    '../_base_/models/resnet32_recipe.py', '../_base_/datasets/cifar100lt.py',
    '../_base_/schedules/recipe_400e.py', '../_base_/default_runtime.py'
]
