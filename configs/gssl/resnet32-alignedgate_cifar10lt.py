"""G-SSL (all tasks), tasks weighted by the agreement of gradients on CIFAR-10-LT, ratio 0.01.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-alignedgate_cifar10lt.py 0

The cosine with the classification gradient at the pooled feature, over the batch,
as a moving average of about ten steps; temperature 0.1.
"""
_base_ = './resnet32_cifar10lt.py'

model = dict(
    head=dict(
        gate=dict(
            _delete_=True, type='gssl_mm.AlignedGate', momentum=0.1)))
