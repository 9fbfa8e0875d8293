"""Any classifier as a function of pixels in [0, 1]."""
import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from gssl_mm.models.attacks import (
    PGD,
    LogitsShapeError,
    PixelModel,
    PixelSpaceError,
)

MEAN, STD = [125.3, 123.0, 113.9], [51.6, 50.8, 51.3]


def classifier(**preprocessor):
    preprocessor = preprocessor or dict(mean=MEAN, std=STD)
    return MODELS.build(dict(
        type='ImageClassifier',
        backbone=dict(type='gssl_mm.CIFARResNet', depth=8),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=4, in_channels=64),
        data_preprocessor=dict(dict(
            type='gssl_mm.PretextDataPreprocessor'), **preprocessor))).eval()


def batch(n=3, size=8):
    images = torch.randint(256, (n, 3, size, size), dtype=torch.uint8)
    samples = [DataSample().set_gt_label(k % 4) for k in range(n)]
    return dict(inputs=images, data_samples=samples)


@pytest.mark.parametrize('to_rgb', [False, True])
@pytest.mark.parametrize('listed', [False, True])
def test_pixels_are_the_bytes_and_logits_the_models(to_rgb, listed):
    model = classifier(mean=MEAN, std=STD, to_rgb=to_rgb)
    data = batch()
    if listed:
        data['inputs'] = list(data['inputs'])
    wrapped = PixelModel(model)
    pixels, samples = wrapped.pixels(data)
    raw = torch.stack(list(data['inputs']))
    raw = raw.flip(1) if to_rgb else raw
    assert torch.equal(pixels, raw.float() / 255)
    assert len(samples) == 3
    inputs = model.data_preprocessor(data, False)['inputs']
    assert torch.allclose(wrapped(pixels), model(inputs), atol=1e-5)


def test_the_gradient_is_that_of_the_naive_normalisation():
    model = classifier().double()
    pixels = torch.rand(2, 3, 8, 8, dtype=torch.float64)
    grads = []
    for run in (PixelModel(model), lambda x: model(torch.stack([
            (255 * x[:, c] - MEAN[c]) / STD[c] for c in range(3)], 1))):
        x = pixels.clone().requires_grad_()
        run(x)[:, 1].sum().backward()
        grads.append(x.grad)
    assert torch.allclose(*grads, rtol=1e-6, atol=1e-9)
    assert grads[0].abs().max() > 0


def test_a_model_of_pixels_is_not_touched():
    model = classifier(mean=[0., 0., 0.], std=[255., 255., 255.])
    wrapped = PixelModel(model)
    x = torch.rand(2, 3, 8, 8)
    assert wrapped.direct
    assert torch.equal(wrapped(x), model(x))


def test_state_and_parameters_are_the_models_own():
    wrapped = PixelModel(classifier())
    assert all(k.startswith('model.') for k in wrapped.state_dict())
    assert not wrapped.training


def test_bfloat16_is_for_gradients_alone():
    model = classifier()
    exact, low = PixelModel(model), PixelModel(model, torch.bfloat16)
    x = torch.rand(4, 3, 8, 8)
    assert torch.equal(exact(x), low(x))
    grads = []
    for run in (exact, low):
        y = x.clone().requires_grad_()
        run(y).logsumexp(1).sum().backward()
        grads.append(y.grad)
    assert not torch.equal(*grads)
    same = torch.nn.functional.cosine_similarity(
        grads[0].flatten(), grads[1].flatten(), dim=0)
    assert same > 0.99


def test_channels_last_keeps_the_values():
    model = PixelModel(classifier())
    x = torch.rand(4, 3, 8, 8)
    before = model(x)
    model.channels_last()
    after = model(x.contiguous(memory_format=torch.channels_last))
    assert torch.allclose(before, after, atol=1e-5)
    weight = next(p for p in model.parameters() if p.ndim == 4)
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_an_ordinary_model_is_attacked_in_pixels():
    wrapped = PixelModel(classifier())
    x, labels = torch.rand(4, 3, 8, 8), torch.tensor([0, 1, 2, 3])
    moved = (PGD(num_steps=2)(wrapped, x, labels) - x).abs().max()
    assert 0.9 * 4 / 255 < moved < 8.001 / 255


def test_a_preprocessor_without_mean_and_std_is_named():
    with pytest.raises(PixelSpaceError, match='no mean and std'):
        PixelModel(classifier(type='ClsDataPreprocessor'))


def test_values_that_are_no_pixels_are_named():
    data = batch()
    data['inputs'] = data['inputs'].float() * 255
    with pytest.raises(PixelSpaceError, match='mean and std undone'):
        PixelModel(classifier()).pixels(data)


def test_a_head_with_other_outputs_is_named():
    model = classifier()
    model.head = MODELS.build(dict(
        type='MultiTaskHead', task_heads=dict(a=dict(
            type='LinearClsHead', num_classes=3, in_channels=64))))
    with pytest.raises(LogitsShapeError, match='a dict'):
        PixelModel(model)(torch.rand(2, 3, 8, 8))
