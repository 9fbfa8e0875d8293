"""What every semi-supervised classifier holds and refuses."""
import copy

import pytest
import torch
from mmpretrain.registry import MODELS
from semi_toy import (
    GATED,
    KINDS,
    LABELED,
    LINEAR,
    TASKS,
    Smooth,
    build,
    draw,
    pretext_labels,
    samples,
)

from gssl_mm.datasets.errors import EmptyUnlabeledError


@pytest.mark.parametrize('kind', KINDS)
def test_labels_of_unlabelled_images_only_measure(kind):
    found = []
    for truth in (torch.zeros(LABELED), torch.full((LABELED, ), -1)):
        model = build(kind)
        if kind == 'MeanTeacher':
            model.set_teacher(copy.deepcopy(model))
        batch, data_samples = draw(kind, truth=truth.long())
        losses = model.loss(batch, data_samples)
        total = sum(v for k, v in losses.items() if 'loss' in k)
        total.backward()
        found.append([p.grad for p in model.parameters()] + [total])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize('kind', KINDS)
def test_bf16_autocast_stays_near_float32(kind):
    totals = []
    for enabled in (False, True):
        model = build(kind, GATED, ssl_views='separate')
        if kind == 'MeanTeacher':
            model.set_teacher(copy.deepcopy(model))
        batch, data_samples = draw(kind, pretext_labels=pretext_labels(10),
                                   copies=torch.ones(10, 3, 8, 8))
        with torch.autocast('cpu', torch.bfloat16, enabled=enabled):
            losses = model.loss(batch, data_samples)
        assert all(v.dtype == torch.float32 for k, v in losses.items()
                   if 'loss' in k)
        totals.append(losses['loss_cls'] + losses['loss_lorot'])
        sum(v for k, v in losses.items() if 'loss' in k).backward()
        assert all(p.grad.isfinite().all()
                   for p in model.parameters() if p.requires_grad)
    assert torch.allclose(*totals, rtol=0.03)
    assert not torch.equal(*totals)


@pytest.mark.parametrize('kind', KINDS)
def test_double_precision_is_kept(kind):
    totals = []
    for dtype in (torch.float32, torch.float64):
        model = build(kind, GATED, ssl_views='separate').to(dtype)
        if kind == 'MeanTeacher':
            model.set_teacher(copy.deepcopy(model))
        batch, data_samples = draw(
            kind, pretext_labels=pretext_labels(10),
            copies=torch.ones(10, 3, 8, 8, dtype=dtype))
        losses = model.loss(batch._replace(
            labeled=batch.labeled.to(dtype),
            views={k: v.to(dtype) for k, v in batch.views.items()}),
            data_samples)
        assert losses['loss_unlabeled'].dtype == dtype
        totals.append(sum(v.double() for k, v in losses.items()
                          if 'loss' in k))
    assert torch.allclose(*totals, rtol=1e-4)


@pytest.mark.parametrize('kind', KINDS)
def test_deployed_as_the_host_s_classifier(kind):
    model = build(kind).eval()
    plain = MODELS.build(dict(
        type='ImageClassifier', backbone=Smooth(),
        neck=dict(type='GlobalAveragePooling'), head=LINEAR)).eval()
    plain.load_state_dict(model.state_dict())
    images = torch.randn(2, 3, 8, 8)
    assert torch.equal(model(images), plain(images))
    assert type(model).forward is type(plain).forward
    one, two = (m.predict(images) for m in (model, plain))
    assert torch.equal(one[1].pred_score, two[1].pred_score)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"2 view\(s\).*got \['v0'\]"):
        build('FixMatch', views=1)
    with pytest.raises(ValueError, match='preprocessor labels .*lorot'):
        other = dict(GATED, tasks=TASKS[:2])
        MODELS.build(dict(
            type='gssl_mm.FixMatchClassifier', backbone=Smooth(), head=other,
            data_preprocessor=dict(
                type='gssl_mm.SemiSupervisedDataPreprocessor',
                pretext=dict(tasks=TASKS), views=dict(a=[], b=[]))))
    for changes in (dict(log_agreement=True),
                    dict(gate=dict(type='gssl_mm.AlignedGate'))):
        with pytest.raises(ValueError, match='leave log_agreement out'):
            build('FixMatch', dict(GATED, **changes))
    with pytest.raises(ValueError, match='SemiSupervisedDataPreprocessor'):
        MODELS.build(dict(
            type='gssl_mm.FixMatchClassifier', backbone=Smooth(), head=LINEAR,
            data_preprocessor=dict(type='gssl_mm.PretextDataPreprocessor')))
    with pytest.raises(EmptyUnlabeledError, match='without unlabelled'):
        build('FixMatch').loss(torch.rand(2, 3, 8, 8), samples())
    with pytest.raises(ValueError, match='has no teacher'):
        build('MeanTeacher').loss(*draw('MeanTeacher'))
    with pytest.raises(ValueError, match='got 7 and 5. Set unlabeled_ratio=1'):
        build('MixMatch').loss(*draw('MixMatch', 7))


@pytest.mark.parametrize('kind, argument', [
    ('FixMatch', dict(threshold=1.1)), ('FixMatch', dict(unlabeled_weight=-1)),
    ('PseudoLabel', dict(ramp_share=0)), ('PiModel', dict(unlabeled_weight=-1)),
    ('MeanTeacher', dict(ramp_share=-1)), ('MixMatch', dict(alpha=0)),
    ('MixMatch', dict(temperature=0.))])
def test_arguments_out_of_range(kind, argument):
    with pytest.raises(ValueError, match=next(iter(argument))):
        build(kind, **argument)
