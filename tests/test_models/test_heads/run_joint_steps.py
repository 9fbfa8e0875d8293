"""Train joint heads for six steps; as one process or under torchrun."""

import torch
from mmpretrain.registry import MODELS
from two_processes import main

LDAM = dict(type='gssl_mm.LDAMLoss', class_counts=[100, 30, 9, 3])
HEADS = {
    'masks': dict(inference='distilled'),
    'masks-ldam': dict(inference='distilled', head='cosine', loss=LDAM),
    'rotations-ldam': dict(
        inference='distilled', head='cosine', loss=LDAM, num_rotations=4),
}


class SmoothNet(torch.nn.Module):
    """Two tapped stages without batch statistics, which are local."""

    def __init__(self):
        super().__init__()
        self.one = torch.nn.Conv2d(3, 8, 3, stride=2)
        self.two = torch.nn.Conv2d(8, 16, 3, stride=2)

    def forward(self, images):
        first = self.one(images).tanh()
        return first, self.two(first).tanh()


def build(name):
    backbone = SmoothNet()
    neck = dict(type='gssl_mm.FeatureMaskNeck')
    if 'rotations' in name:
        backbone = dict(type='gssl_mm.RotatedBackbone', backbone=backbone)
        neck.update(stacked=4)
    model = MODELS.build(dict(
        type='ImageClassifier', backbone=backbone, neck=neck,
        head=dict(type='gssl_mm.JointLabelHead', num_classes=4,
                  in_channels=(8, 16), **HEADS[name]),
        data_preprocessor=dict(
            type='gssl_mm.PretextDataPreprocessor', mean=[120.] * 3,
            std=[60.] * 3)))
    for module in model.modules():
        if hasattr(module, 'set_class_weight'):
            module.set_class_weight([0.2, 0.5, 1., 2.3])
    return model


if __name__ == '__main__':
    main(build, HEADS, steps=6)
