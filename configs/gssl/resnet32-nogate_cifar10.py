"""LoRot + flip + permutation without a gate (plain sum) on balanced CIFAR-10.

The column "non-gated" of G-SSL paper, Figures 7 and 8; it gives no accuracy for it.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-nogate_cifar10.py 0

D4: the sum is three times a gated mixture. UniformGate(total=1) is the scale-fair
mean.
"""
_base_ = './resnet32_cifar10.py'

model = dict(
    head=dict(gate=dict(_delete_=True, type='gssl_mm.UniformGate')))
