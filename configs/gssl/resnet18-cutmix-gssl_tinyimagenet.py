"""G-SSL (all tasks, gated) after CutMix: ResNet-18 on Tiny-ImageNet.

Not a row of the paper.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet18-cutmix-gssl_tinyimagenet.py 0

Images are mixed first; one quadrant of the mixed image is transformed.
"""
_base_ = './resnet18_tinyimagenet.py'

model = dict(
    data_preprocessor=dict(
        batch_augments=dict(augments=dict(type='CutMix', alpha=1.))))
