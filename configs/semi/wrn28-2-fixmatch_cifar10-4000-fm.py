"""FixMatch with RandAugment in the authors' own ranges.

G-SSL paper, Table 4: 95.74 (as the paper cites it, D17).
Measured here: not yet.
Run: tools/run_seeds.sh configs/semi/wrn28-2-fixmatch_cifar10-4000-fm.py 0
"""
_base_ = './wrn28-2-fixmatch_cifar10-4000.py'

model = dict(
    data_preprocessor=dict(
        views=dict(strong=[
            {{_base_.crop}},
            dict(type='gssl_mm.BatchRandAugment', variant='fm')
        ])))
