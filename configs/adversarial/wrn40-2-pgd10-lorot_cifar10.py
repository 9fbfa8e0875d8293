"""PGD training with LoRot-E on CIFAR-10.

G-SSL paper, Table 2: clean 82.6, PGD-20 52.8, PGD-100 52.8.
Measured here: not yet.
Run: TEST=1 tools/run_seeds.sh configs/adversarial/wrn40-2-pgd10-lorot_cifar10.py 0
"""
_base_ = './wrn40-2-pgd10-gssl_cifar10.py'

tasks = [
    dict(type='gssl_mm.LocalRotation'),
]
model = dict(
    head=dict(tasks=tasks, gate=None),
    data_preprocessor=dict(pretext=dict(tasks=tasks)))
