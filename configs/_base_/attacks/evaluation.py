"""Tests of robust accuracy: PGD-20 and PGD-100 in both protocols (D10).

The starts are the same in both: what differs is the centre of the ball alone.
"""
pgd20 = dict(
    type='gssl_mm.PGD', eps=8 / 255, step_size=2 / 255, num_steps=20)
pgd100 = dict(
    type='gssl_mm.PGD', eps=8 / 255, step_size=0.3 / 255, num_steps=100)

test_cfg = dict(
    type='gssl_mm.PGDEvaluator',
    attacks={
        'pgd20': dict(pgd20, center='clean'),
        'pgd20-noised': dict(pgd20, center='noised'),
        'pgd100': dict(pgd100, center='clean'),
        'pgd100-noised': dict(pgd100, center='noised'),
    })
