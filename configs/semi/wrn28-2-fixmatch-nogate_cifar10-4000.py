"""FixMatch with the three pretext tasks and no gate (D4).

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/semi/wrn28-2-fixmatch-nogate_cifar10-4000.py 0
"""
_base_ = './wrn28-2-fixmatch-gssl_cifar10-4000.py'

model = dict(head=dict(gate=dict(_delete_=True, type='gssl_mm.UniformGate')))
