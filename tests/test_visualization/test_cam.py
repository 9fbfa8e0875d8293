"""Grad-CAM and class activation maps against their formulas."""
import pytest
import torch
import torch.nn.functional as F
from mmpretrain.registry import MODELS

from gssl_mm.visualization import (
    TargetLayerError,
    class_activation_map,
    class_weights,
    enlarge,
    grad_cam,
)
from gssl_mm.visualization.cam import normalise

RESNET = dict(type='gssl_mm.CIFARResNet', depth=8)
GAP = dict(type='GlobalAveragePooling')


def linear(channels, classes=3):
    return dict(type='LinearClsHead', num_classes=classes,
                in_channels=channels)


def joint(channels, **kwargs):
    return dict(type='gssl_mm.JointLabelHead', num_classes=3,
                in_channels=channels, **kwargs)


MODEL_CONFIGS = {
    'cifar_resnet': (RESNET, GAP, linear(64)),
    'cosine': (RESNET, GAP, dict(
        type='gssl_mm.CosineClsHead', num_classes=3, in_channels=64)),
    'wrn': (dict(type='gssl_mm.WideResNet', depth=10, widen_factor=1), GAP,
            linear(64)),
    'wrn_tapped': (
        dict(type='gssl_mm.WideResNet', depth=10, tap='bnrelu',
             out_indices=(1, 2)),
        dict(type='gssl_mm.FeatureMaskNeck'), joint((32, 64))),
    # Its last activation is in place
    'pyramidnet': (dict(type='gssl_mm.PyramidNet', depth=20, alpha=12), GAP,
                   linear(28)),
    'host_resnet': (dict(type='ResNet_CIFAR', depth=18, base_channels=8,
                         stem_channels=8), GAP, linear(64)),
    'feature_masks': (
        dict(RESNET, out_indices=(1, 2)),
        dict(type='gssl_mm.FeatureMaskNeck'), joint((32, 64))),
    'distilled': (
        dict(RESNET, out_indices=(1, 2)),
        dict(type='gssl_mm.FeatureMaskNeck'),
        joint((32, 64), inference='distilled')),
    'fixed_mask': (RESNET, dict(type='gssl_mm.FeatureMaskNeck', fixed_mask=2),
                   linear(64)),
    'gated': (RESNET, GAP, dict(
        type='gssl_mm.GatedMultiTaskHead', in_channels=64, primary=linear(64),
        tasks=[dict(type='gssl_mm.LocalFlip')])),
    'rotated': (
        dict(type='gssl_mm.RotatedBackbone', backbone=RESNET),
        dict(type='gssl_mm.FeatureMaskNeck', masks=None, stacked=4),
        joint(64, num_masks=0, num_rotations=4)),
}
# Where the class score is linear in the pooled map that is shown
LINEAR = ('cifar_resnet', 'gated', 'wrn', 'wrn_tapped', 'pyramidnet',
          'host_resnet', 'feature_masks', 'distilled', 'rotated')
ADVERSARIAL = dict(
    type='gssl_mm.AdversarialClassifier', backbone=RESNET, neck=GAP,
    head=linear(64), attack=dict(type='gssl_mm.PGD', eps=8 / 255, num_steps=1),
    mean=[.5, .4, .3], std=[.5, .6, .7],
    data_preprocessor=dict(mean=[0., 0., 0.], std=[255., 255., 255.]))


def build(name):
    backbone, neck, head = MODEL_CONFIGS[name]
    model = MODELS.build(dict(type='ImageClassifier', backbone=backbone,
                              neck=neck, head=head))
    for norm in model.modules():  # statistics that are not 0 and 1
        if isinstance(norm, torch.nn.BatchNorm2d):
            norm.running_mean.normal_(0, .1)
            norm.running_var.uniform_(.5, 1.5)
            norm.bias.data.normal_(0, .3)
    for param in model.head.parameters():
        param.data.normal_(0, .5)
    return model.eval()


def last_map(model, images):
    found = model.backbone(images)
    return found[-1] if isinstance(found, tuple) else found


def naive_grad_cam(model, images, classes):
    """Gradient of the score for the last map, one image at a time."""
    maps = []
    for image, label in zip(images, classes, strict=True):
        feats = model.backbone(image[None])
        *earlier, last = feats
        leaf = last.detach().clone().requires_grad_()
        score = model.head(model.neck((*earlier, leaf)))[0, label]
        grad, = torch.autograd.grad(score, leaf)
        found = torch.zeros(leaf.shape[2:])
        for channel in range(leaf.size(1)):
            weight = grad[0, channel].sum() / grad[0, channel].numel()
            found += weight * leaf[0, channel].detach()
        maps.append(found.clamp(min=0))
    return normalise(torch.stack(maps))


@pytest.mark.parametrize('name', MODEL_CONFIGS)
def test_grad_cam_is_its_formula(name):
    pytest.importorskip('pytorch_grad_cam')
    model, images = build(name), torch.rand(3, 3, 16, 16)
    chosen = model(images).argmax(1)
    got = grad_cam(model, images)
    assert got.shape == (3, *last_map(model, images).shape[2:])
    torch.testing.assert_close(
        got, naive_grad_cam(model, images, chosen), atol=1e-4, rtol=1e-3)
    other = (chosen + 1) % 3
    torch.testing.assert_close(
        grad_cam(model, images, other), naive_grad_cam(model, images, other),
        atol=1e-4, rtol=1e-3)
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize('name', LINEAR)
def test_grad_cam_and_cam_agree_on_linear_classifiers(name):
    """The gradient is then the classifier's row, the same at every place."""
    pytest.importorskip('pytorch_grad_cam')
    model, images = build(name), torch.rand(2, 3, 16, 16)
    classes = torch.tensor([2, 1])
    views = getattr(model.backbone, 'num_views', 1)
    feats = last_map(model, images)[::views].detach()
    raw = torch.einsum('nc,nchw->nhw', class_weights(model.head)[classes],
                       feats)
    torch.testing.assert_close(
        grad_cam(model, images, classes), normalise(raw.clamp(min=0)),
        atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize('name, rows, layer', [
    ('cifar_resnet', slice(None), 'fc'), ('feature_masks', slice(0, None, 5),
                                          'fc'),
    ('distilled', slice(None), 'student'),
    ('rotated', slice(0, None, 4), 'fc')])
def test_cam_is_its_formula(name, rows, layer):
    model, images = build(name), torch.rand(2, 3, 16, 16)
    weight = getattr(model.head, layer).weight.detach()[rows]
    views = getattr(model.backbone, 'num_views', 1)
    feats = last_map(model, images)[::views].detach()
    expected = torch.zeros(2, *feats.shape[2:])
    for n, label in enumerate((2, 0)):
        for channel in range(feats.size(1)):
            expected[n] += weight[label, channel] * feats[n, channel]
        low, high = expected[n].min(), expected[n].max()
        expected[n] = (expected[n] - low) / (high - low)
    got = class_activation_map(model, images, torch.tensor([2, 0]))
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-3)
    predicted = model(images).argmax(1)
    torch.testing.assert_close(class_activation_map(model, images),
                               class_activation_map(model, images, predicted))


def test_a_model_that_normalises_by_itself():
    pytest.importorskip('pytorch_grad_cam')
    robust, plain = MODELS.build(ADVERSARIAL), build('cifar_resnet')
    robust.load_state_dict(plain.state_dict(), strict=False)
    images = torch.rand(2, 3, 16, 16)
    mean, std = (torch.tensor(v)[:, None, None]
                 for v in ((.5, .4, .3), (.5, .6, .7)))
    for method in (grad_cam, class_activation_map):
        torch.testing.assert_close(
            method(robust, images), method(plain, (images - mean) / std),
            atol=1e-4, rtol=1e-3)


def test_fixed_masks_show_the_unmasked_map():
    """Figure 1: what a network that never saw one quadrant finds there."""
    model, images = build('fixed_mask'), torch.rand(2, 3, 32, 32)
    plain = build('cifar_resnet')
    plain.load_state_dict(model.state_dict(), strict=False)
    classes = torch.tensor([0, 1])
    torch.testing.assert_close(class_activation_map(model, images, classes),
                               class_activation_map(plain, images, classes))


def test_cosine_weights_are_directions():
    model = build('cosine')
    expected = F.normalize(model.head.fc.weight)
    torch.testing.assert_close(class_weights(model.head), expected.detach())


def test_the_model_is_left_as_it_was():
    pytest.importorskip('pytorch_grad_cam')
    model = build('cifar_resnet').train()
    images = torch.rand(2, 3, 16, 16)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    grad_cam(model, images)
    class_activation_map(model, images)
    assert model.training and not images.requires_grad
    assert not model.backbone._forward_hooks
    after = model.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)


def test_a_layer_by_name():
    pytest.importorskip('pytorch_grad_cam')
    model, images = build('cifar_resnet'), torch.rand(2, 3, 16, 16)
    assert grad_cam(model, images, target_layer='backbone.layer2').shape == (
        2, 8, 8)
    torch.testing.assert_close(
        grad_cam(model, images, target_layer='backbone.layer3'),
        grad_cam(model, images))
    with pytest.raises(TargetLayerError, match='backbone has .*layer3'):
        grad_cam(model, images, target_layer='backbone.layer9')
    assert not model.backbone._forward_hooks


def test_models_without_a_map_or_a_linear_head():
    model, images = build('cifar_resnet'), torch.rand(2, 3, 16, 16)
    model.head.fc = torch.nn.Sequential(model.head.fc)
    with pytest.raises(TargetLayerError, match='not a linear classifier'):
        class_activation_map(model, images)
    model = build('cifar_resnet')
    model.backbone.forward = lambda x: (x.mean((2, 3)), )
    with pytest.raises(TargetLayerError, match='2-D features'):
        class_activation_map(model, images)


def test_scaling_and_enlarging():
    maps = torch.tensor([[[0., 2.], [4., 1.]], [[3., 3.], [3., 3.]]])
    scaled = normalise(maps)
    assert scaled[0].tolist() == [[0., .5], [1., .25]]
    assert scaled[1].eq(0).all()
    large = enlarge(scaled, (8, 8))
    assert large.shape == (2, 8, 8) and large.min() >= 0 and large.max() <= 1
    assert large[0, -1, 0] > large[0, 0, 0]
