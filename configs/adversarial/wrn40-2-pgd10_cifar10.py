"""PGD training of WRN-40-2 on CIFAR-10.

G-SSL paper, Table 2: clean 83.4, PGD-20 46.5, PGD-100 46.5.
Measured here: not yet.
Run: TEST=1 tools/run_seeds.sh configs/adversarial/wrn40-2-pgd10_cifar10.py 0

Ball and step are the released ones (D9, D10), epochs too (D11: others use 100).
The test tool reports clean accuracy, PGD-20 and PGD-100 in both protocols:
    python tools/test.py configs/adversarial/wrn40-2-pgd10_cifar10.py CHECKPOINT
"""
_base_ = [
    '../_base_/models/wrn40-2_adversarial.py', '../_base_/datasets/cifar10.py',
    '../_base_/schedules/adversarial_200e.py', '../_base_/default_runtime.py'
]
