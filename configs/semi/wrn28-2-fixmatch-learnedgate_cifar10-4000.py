"""FixMatch with G-SSL and a gate that learns (D1).

G-SSL paper, Table 4, by its equation 3: 94.95.
Measured here: not yet.
Run: tools/run_seeds.sh configs/semi/wrn28-2-fixmatch-learnedgate_cifar10-4000.py 0
"""
_base_ = './wrn28-2-fixmatch-gssl_cifar10-4000.py'

model = dict(head=dict(gate=dict(grad='learned')))
