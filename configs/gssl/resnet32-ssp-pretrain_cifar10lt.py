"""SSP, stage 1: rotation prediction on CIFAR-10-LT, ratio 0.01.

G-SSL paper, Table 1, row "SPP" (read as SSP, D18): its first stage.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-ssp-pretrain_cifar10lt.py 0

The accuracy is that of the four rotations, on turned test images.
"""
_base_ = './resnet32-ce_cifar10lt.py'

model = dict(
    head=dict(num_classes=4, topk=(1, )),
    data_preprocessor=dict(
        pretext=dict(
            region='image', tasks=[dict(type='gssl_mm.GlobalRotation')]),
        pretext_as_label=True))
val_evaluator = [dict(type='Accuracy', topk=(1, ))]
test_evaluator = val_evaluator
