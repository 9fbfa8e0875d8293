"""Small models of every kind that is deployed, with their checkpoints."""
import copy

import pytest
import torch
from mmengine.config import Config
from mmpretrain.registry import MODELS

MEAN, STD = [120., 115., 100.], [52., 50., 51.]
TASKS = [dict(type='gssl_mm.LocalRotation'), dict(type='gssl_mm.LocalFlip')]
NET = dict(type='gssl_mm.CIFARResNet', depth=8, base_channels=4)
PIPELINE = [dict(type='gssl_mm.RGBImage', size=32), dict(type='PackInputs')]
LINEAR = dict(type='LinearClsHead', num_classes=5, in_channels=16)
COSINE = dict(type='gssl_mm.CosineClsHead', num_classes=5, in_channels=16,
              loss=dict(type='gssl_mm.LDAMLoss'))


def classifier(head, **parts):
    preprocessor = dict(
        type='gssl_mm.PretextDataPreprocessor', mean=MEAN, std=STD,
        augment=[dict(type='gssl_mm.RandomCropFlip')],
        memory_format='channels_last')
    return dict(dict(type='ImageClassifier', backbone=NET, head=head,
                     neck=dict(type='GlobalAveragePooling'),
                     data_preprocessor=preprocessor), **parts)


def gated(primary, **parts):
    model = classifier(
        dict(type='gssl_mm.GatedMultiTaskHead', primary=primary, tasks=TASKS,
             in_channels=16, gate=dict(type='gssl_mm.SoftmaxGate')), **parts)
    model['data_preprocessor']['pretext'] = dict(tasks=TASKS)
    return model


def joint(inference, **head):
    return dict(type='gssl_mm.JointLabelHead', num_classes=5,
                in_channels=(8, 16), inference=inference, **head)


MASKED = dict(backbone=dict(NET, out_indices=(1, 2)),
              neck=dict(type='gssl_mm.FeatureMaskNeck'))
ROTATED = dict(
    backbone=dict(type='gssl_mm.RotatedBackbone', backbone=NET),
    neck=dict(type='gssl_mm.FeatureMaskNeck', masks=None, stacked=4))
TURNED = dict(num_masks=0, num_rotations=4)
MODELS_OF = {
    'plain': classifier(LINEAR),
    'gated': gated(LINEAR),
    'ldam-cosine': gated(COSINE),
    'ft-single': classifier(joint('single'), **MASKED),
    'ft-aggregated': classifier(joint('aggregated'), **MASKED),
    'ft-cosine-aggregated': classifier(
        joint('aggregated', head='cosine'), **MASKED),
    'ft-distilled': classifier(joint('distilled'), **MASKED),
    'ft-gated': gated(joint('single', head='cosine',
                            loss=dict(type='gssl_mm.LDAMLoss')), **MASKED),
    'sla-aggregated': classifier(
        dict(joint('aggregated', **TURNED), in_channels=16), **ROTATED),
    'adversarial': gated(
        LINEAR, type='gssl_mm.AdversarialClassifier',
        attack=dict(type='gssl_mm.PGD', num_steps=1), mean=[.4, .5, .6],
        std=[.2, .3, .25]),
}
# The network normalises: the data preprocessor gives pixels in [0, 1]
MODELS_OF['adversarial']['data_preprocessor'].update(
    mean=[0., 0., 0.], std=[255., 255., 255.])


class Trained:
    """A config, its checkpoint, and the model with these weights."""

    def __init__(self, kind, folder):
        loader = dict(
            batch_size=4, num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=dict(type='gssl_mm.SyntheticShapes', num_per_class=2,
                         num_classes=5, split='test', pipeline=PIPELINE))
        self.cfg = Config(dict(
            model=copy.deepcopy(MODELS_OF[kind]), test_dataloader=loader,
            test_evaluator=[dict(type='Accuracy', topk=(1, ))],
            test_cfg=dict()))
        torch.manual_seed(3)
        self.model = MODELS.build(self.cfg.model).eval()
        for name, value in self.model.named_buffers():
            if 'running' in name:
                value.uniform_(0.5, 1.5).sub_(float('mean' in name))
        for name, value in self.model.named_parameters():
            if name.endswith('fc.weight'):
                value.data.mul_(3)
        self.checkpoint = folder / f'{kind}.pth'
        classes = ('a', 'b', 'c', 'd', 'e')
        torch.save(dict(
            state_dict=self.model.state_dict(), optimizer={'state': {}},
            meta=dict(dataset_meta=dict(classes=classes), epoch=7)),
            self.checkpoint)

    @torch.no_grad()
    def logits(self, images):
        """Of uint8 RGB images (N, H, W, 3)."""
        data = dict(inputs=images.permute(0, 3, 1, 2))
        return self.model(
            self.model.data_preprocessor(data, False)['inputs'].contiguous())


@pytest.fixture(scope='session')
def trained(tmp_path_factory):
    """Kind of model to its :class:`Trained`."""
    from mmengine.registry import DefaultScope
    folder, made = tmp_path_factory.mktemp('trained'), {}

    def get(kind):
        if kind not in made:
            with DefaultScope.overwrite_default_scope('mmpretrain'):
                made[kind] = Trained(kind, folder)
        return made[kind]

    return get


@pytest.fixture
def images():
    """Make uint8 RGB noise (N, H, W, 3)."""
    generator = torch.Generator().manual_seed(5)
    return lambda n, size=32: torch.randint(
        256, (n, size, size, 3), generator=generator).to(torch.uint8)
