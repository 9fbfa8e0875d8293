"""G-SSL (all tasks) with weights learnt from uncertainties on CIFAR-10-LT, ratio 0.01.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-uncertaintygate_cifar10lt.py 0

Kendall et al. 2018: inverse variances, learnt; they need not sum to one.
"""
_base_ = './resnet32_cifar10lt.py'

model = dict(
    head=dict(
        gate=dict(_delete_=True, type='gssl_mm.UncertaintyGate')))
