"""FixMatch with G-SSL, lambda 0.1, as in the working code.

G-SSL paper, Table 4, with the other value of D15: 94.95.
Measured here: not yet.
Run: tools/run_seeds.sh configs/semi/wrn28-2-fixmatch-gssl-lambda0.1_cifar10-4000.py 0
"""
_base_ = './wrn28-2-fixmatch-gssl_cifar10-4000.py'

model = dict(head=dict(loss_weight=0.1))
