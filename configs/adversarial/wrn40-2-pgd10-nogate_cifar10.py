"""PGD training with LoRot + flip + permutation without a gate on CIFAR-10.

G-SSL paper, Table 2: clean 82.3, PGD-20 52.4, PGD-100 52.4.
Measured here: not yet.
Run: TEST=1 tools/run_seeds.sh configs/adversarial/wrn40-2-pgd10-nogate_cifar10.py 0

D4: the plain sum is three times a gated mixture; UniformGate(total=1) is the mean.
"""
_base_ = './wrn40-2-pgd10-gssl_cifar10.py'

model = dict(head=dict(gate=dict(_delete_=True, type='gssl_mm.UniformGate')))
