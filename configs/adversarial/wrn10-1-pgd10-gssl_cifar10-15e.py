"""PGD training with G-SSL of a narrow net, in 15 epochs, on CIFAR-10.

Not a row of the papers: a size that trains on a CPU.
Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 36.67 (4 epochs, batch 128, bf16; CIFAR-10 re-encoded as JPEG; seed 0; 0.45 h
  a run on AMD EPYC, 1 thread(s)): wrn10-1-pgd10-gssl_cifar10-15e-bf16-4e
Run: TEST=1 tools/run_seeds.sh configs/adversarial/wrn10-1-pgd10-gssl_cifar10-15e.py 0

The cosine ends with the last epoch, however many there are.
"""
_base_ = './wrn40-2-pgd10-gssl_cifar10.py'

model = dict(
    backbone=dict(depth=10, widen_factor=1),
    head=dict(in_channels=64, primary=dict(in_channels=64)))
train_cfg = dict(max_epochs=15)
test_cfg = dict(
    attacks=dict(autoattack=dict(type='gssl_mm.AutoAttack', eps=8 / 255)),
    max_samples=dict(autoattack=500))
