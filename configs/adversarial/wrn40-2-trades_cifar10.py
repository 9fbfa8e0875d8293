"""TRADES training of WRN-40-2 on CIFAR-10.

Not a row of the papers.
Measured here: not yet.
Run: TEST=1 tools/run_seeds.sh configs/adversarial/wrn40-2-trades_cifar10.py 0
"""
_base_ = './wrn40-2-pgd10_cifar10.py'

model = dict(
    type='gssl_mm.TRADESClassifier',
    beta=6.,
    # Running statistics in the attack, as in the TRADES code
    attack_bn='eval',
    attack=dict(
        type='gssl_mm.PGD', step_size=2 / 255, num_steps=10, center='clean'))
