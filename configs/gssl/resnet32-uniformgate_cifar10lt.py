"""G-SSL (all tasks) with equal weights that sum to one on CIFAR-10-LT, ratio 0.01.

Not a row of the papers.
Measured here: docs/gates.md.
Run: tools/run_seeds.sh configs/gssl/resnet32-uniformgate_cifar10lt.py 0

D4: the scale-fair counterpart of a gated mixture: what any gate has to beat.
"""
_base_ = './resnet32_cifar10lt.py'

model = dict(
    head=dict(
        gate=dict(_delete_=True, type='gssl_mm.UniformGate', total=1)))
default_hooks = dict(gate_curves=dict(type='gssl_mm.GateCurvesHook'))
