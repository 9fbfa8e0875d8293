"""LoRot + flip + permutation without a gate (plain sum) on CIFAR-100-LT, ratio 0.01.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-nogate_cifar100lt.py 0

D4: the sum is three times a gated mixture. UniformGate(total=1) is the scale-fair
mean.
"""
_base_ = './resnet32_cifar100lt.py'

model = dict(
    head=dict(gate=dict(_delete_=True, type='gssl_mm.UniformGate')))
