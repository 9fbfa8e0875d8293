"""LoRot + flip + permutation without a gate (plain sum) on CIFAR-10-LT, ratio 0.01.

Not a row of the papers.
Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 77.14 (200 epochs, batch 128, bf16; CIFAR-10 re-encoded as JPEG; seed 0; 3.42
  h a run on AMD EPYC, 1 thread(s)): resnet32-nogate_cifar10lt-bf16-200e
Run: tools/run_seeds.sh configs/gssl/resnet32-nogate_cifar10lt.py 0

D4: the sum is three times a gated mixture. UniformGate(total=1) is the scale-fair
mean.
"""
_base_ = './resnet32_cifar10lt.py'

model = dict(
    head=dict(gate=dict(_delete_=True, type='gssl_mm.UniformGate')))
