"""PGD training with auxiliary rotations on CIFAR-10.

G-SSL paper, Table 2: clean 82.8, PGD-20 49.3, PGD-100 49.2.
Measured here: not yet.
Run: TEST=1 tools/run_seeds.sh configs/adversarial/wrn40-2-pgd10-rotations_cifar10.py 0

Every step attacks 640 images: the batch and its four rotations.
"""
_base_ = './wrn40-2-pgd10_cifar10.py'

tasks = [dict(type='gssl_mm.GlobalRotation')]
model = dict(
    type='gssl_mm.RotationAuxiliaryClassifier',
    head=dict(
        _delete_=True,
        type='gssl_mm.GatedMultiTaskHead',
        primary=_base_.model.head,
        tasks=tasks,
        in_channels=128,
        loss_weight=0.5))
train_cfg = dict(max_epochs=100)
