"""PGD training with G-SSL (LoRot + flip, gated) on CIFAR-10.

G-SSL paper, Table 2: clean 81.0, PGD-20 52.5, PGD-100 52.4.
Measured here: not yet.
Run: TEST=1 tools/run_seeds.sh configs/adversarial/wrn40-2-pgd10-lorot-flip_cifar10.py 0
"""
_base_ = './wrn40-2-pgd10-gssl_cifar10.py'

tasks = [
    dict(type='gssl_mm.LocalRotation'),
    dict(type='gssl_mm.LocalFlip', axis='horizontal'),
]
model = dict(
    head=dict(tasks=tasks),
    data_preprocessor=dict(pretext=dict(tasks=tasks)))
