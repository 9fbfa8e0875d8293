"""Feature masks: ResNet-110 on CIFAR-100.

Feature-transformation paper, Table 1: SI 76.84, AG 77.44 (mean of 4 runs);
Table 2: AG 77.27 for the same model (D22); Table 5, "ours": SI 76.84; figure 4:
beta 1.
Measured here: not yet.
Run: tools/run_seeds.sh configs/feature_mask/resnet110-ft_cifar100.py 0 1 2 3

One run reports both: acc_single is SI, acc_aggregated AG.
"""
_base_ = [
    '../_base_/models/resnet110_ft.py', '../_base_/datasets/cifar100.py',
    '../_base_/schedules/ft_300e.py', '../_base_/default_runtime.py'
]

val_evaluator = [
    dict(type='Accuracy', topk=(1, 5)),
    dict(type='gssl_mm.InferenceModeAccuracy')
]
test_evaluator = val_evaluator
