"""MixUp: ResNet-18 on Tiny-ImageNet.

G-SSL paper, Table 3: 63.86.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet18-mixup_tinyimagenet.py 0

D13: the number is OpenMixup's, the median of its last 10 epochs; the other rows
are best epochs. D12: crops of random size; the -crop4 leaf has those of the
other rows, and their initialisation.
"""
_base_ = [
    '../_base_/models/resnet18_openmixup.py', '../_base_/datasets/tinyimagenet.py',
    '../_base_/schedules/tiny_400e.py', '../_base_/default_runtime.py'
]

model = dict(
    data_preprocessor=dict(
        batch_augments=dict(
            augments=dict(type='Mixup', alpha=1.))))
