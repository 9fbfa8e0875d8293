"""LDAM-DRW + SLA-SD on CIFAR-100-LT, ratio 0.01.

G-SSL paper, Table 1: 45.53 (best epoch).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-slasd_cifar100lt.py 0

Without public code for long-tailed data, this is our reading: LDAM with counts
repeated for the rotations, the student by LDAM too. acc_single and
acc_aggregated are reported beside the student.
"""
_base_ = [
    '../_base_/models/resnet32_slasd.py', '../_base_/datasets/cifar100lt.py',
    '../_base_/schedules/cifarlt_200e.py', '../_base_/default_runtime.py'
]

val_evaluator = [
    dict(type='Accuracy', topk=(1, 5)),
    dict(type='gssl_mm.ShotAccuracy', per_class_csv=True),
    dict(type='gssl_mm.InferenceModeAccuracy')
]
test_evaluator = val_evaluator
