"""G-SSL (all tasks), tasks weighted by agreement for each sample on CIFAR-10-LT, ratio 0.01.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-alignedgate-sample_cifar10lt.py 0

As resnet32-alignedgate_cifar10lt.py, with weights of its own for each image.
"""
_base_ = './resnet32_cifar10lt.py'

model = dict(
    head=dict(
        gate=dict(
            _delete_=True, type='gssl_mm.AlignedGate', reduce='per_sample')))
