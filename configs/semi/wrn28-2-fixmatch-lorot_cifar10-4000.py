"""FixMatch with LoRot-E alone.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/semi/wrn28-2-fixmatch-lorot_cifar10-4000.py 0
"""
_base_ = './wrn28-2-fixmatch-gssl_cifar10-4000.py'

tasks = [dict(type='gssl_mm.LocalRotation')]
model = dict(
    head=dict(tasks=tasks, gate=None),
    data_preprocessor=dict(pretext=dict(tasks=tasks)))
