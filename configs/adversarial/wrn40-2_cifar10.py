"""Normal training of WRN-40-2 on CIFAR-10, for comparison.

G-SSL paper, Table 2: clean 95.3, PGD-20 0, PGD-100 0.
Measured here: not yet.
Run: TEST=1 tools/run_seeds.sh configs/adversarial/wrn40-2_cifar10.py 0
"""
_base_ = './wrn40-2-pgd10_cifar10.py'

model = dict(attack=None)
