"""G-SSL (all tasks) with a gate that learns by equation 3 on CIFAR-10-LT, ratio 0.01.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-learnedgate_cifar10lt.py 0

D1: the released gate never trains; this one does. Its gradient favours the task
with the smallest loss: watch gate_* in the log.
"""
_base_ = './resnet32_cifar10lt.py'

model = dict(head=dict(gate=dict(grad='learned')))
