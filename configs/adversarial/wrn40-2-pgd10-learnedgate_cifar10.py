"""PGD training with a gate that learns by equation 3 on CIFAR-10.

Not a row of the papers.
Measured here: not yet.
Run: TEST=1 tools/run_seeds.sh configs/adversarial/wrn40-2-pgd10-learnedgate_cifar10.py 0

D1: the released gate never trains; this one does. Watch gate_* in the log.
"""
_base_ = './wrn40-2-pgd10-gssl_cifar10.py'

model = dict(head=dict(gate=dict(grad='learned')))
