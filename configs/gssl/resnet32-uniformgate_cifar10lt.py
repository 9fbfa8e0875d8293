"""LoRot + flip + permutation with fixed equal weights of total 1 on CIFAR-10-LT, ratio 0.01.

Not a row of the papers: what a gate has to beat at the same total weight (D4).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-uniformgate_cifar10lt.py 0

Without total=1 the weights add up to 3, as in resnet32-nogate_cifar10lt.py.
"""
_base_ = './resnet32_cifar10lt.py'

model = dict(
    head=dict(gate=dict(_delete_=True, type='gssl_mm.UniformGate', total=1)))
