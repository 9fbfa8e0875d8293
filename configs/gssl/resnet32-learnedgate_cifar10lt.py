"""G-SSL (all tasks) with a gate that learns by equation 3 on CIFAR-10-LT, ratio 0.01.

Not a row of the papers.
Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 76.64 (200 epochs, batch 128, bf16; CIFAR-10 re-encoded as JPEG; seed 0; 3.83
  h a run on AMD EPYC, 1 thread(s)): resnet32-learnedgate_cifar10lt-bf16-200e
Run: tools/run_seeds.sh configs/gssl/resnet32-learnedgate_cifar10lt.py 0

D1: the released gate never trains; this one does. Its gradient favours the task
with the smallest loss: watch gate_* in the log.
"""
_base_ = './resnet32_cifar10lt.py'

model = dict(head=dict(gate=dict(grad='learned')))
