"""LoRot + flip + permutation without a gate (plain sum): ResNet-18 on Tiny-ImageNet.

G-SSL paper, Table 3: 66.23 (best epoch).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet18-nogate_tinyimagenet.py 0

D4: the sum is three times a gated mixture. UniformGate(total=1) is the scale-fair
mean.
"""
_base_ = './resnet18_tinyimagenet.py'

model = dict(
    head=dict(gate=dict(_delete_=True, type='gssl_mm.UniformGate')))
