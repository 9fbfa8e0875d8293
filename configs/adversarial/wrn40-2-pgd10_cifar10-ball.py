"""PGD training within the ball around the clean image (D10) on CIFAR-10.

Not a row of the papers.
Measured here: not yet.
Run: TEST=1 tools/run_seeds.sh configs/adversarial/wrn40-2-pgd10_cifar10-ball.py 0

Any other row switches like this one, by ../_base_/attacks/correct_ball.py.
"""
_base_ = ['./wrn40-2-pgd10_cifar10.py', '../_base_/attacks/correct_ball.py']

model = dict(attack=_base_.correct_attack)
