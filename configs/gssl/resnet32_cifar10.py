"""G-SSL (LoRot + flip + permutation, gated) on balanced CIFAR-10.

The last column of G-SSL paper, Figures 7 and 8; it gives no accuracy for it.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32_cifar10.py 0
"""
_base_ = [
    '../_base_/models/resnet32_gssl_linear.py', '../_base_/datasets/cifar10.py',
    '../_base_/schedules/cifar_200e.py', '../_base_/default_runtime.py'
]

val_evaluator = [
    dict(type='Accuracy', topk=(1, 5)),
    dict(type='gssl_mm.ShotAccuracy', per_class_csv=True)
]
test_evaluator = val_evaluator
