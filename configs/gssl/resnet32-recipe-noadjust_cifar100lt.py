"""Recipe without balanced softmax on CIFAR-100-LT, ratio 0.01.

Not a row of the papers: the ablation of the recipe.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-recipe-noadjust_cifar100lt.py 0
"""
_base_ = './resnet32-recipe_cifar100lt.py'

# Without class weights, which the hook does not set, plain cross-entropy
model = dict(
    head=dict(
        primary=dict(
            loss=dict(type='gssl_mm.ClassBalancedCrossEntropyLoss'))))
