"""G-SSL (all tasks) with a gate that learns by equation 3: ResNet-18 on Tiny-ImageNet.

Not a row of the paper.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet18-learnedgate_tinyimagenet.py 0

D1: the released gate never trains; this one does. Its gradient favours the task
with the smallest loss: watch gate_* in the log.
"""
_base_ = './resnet18_tinyimagenet.py'

model = dict(head=dict(gate=dict(grad='learned')))
