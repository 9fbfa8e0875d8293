"""Pretext tasks on labelled and unlabelled images together."""
import copy

import pytest
import torch
from semi_toy import (
    GATED,
    KINDS,
    LABELED,
    build,
    compare,
    cross_entropy,
    draw,
    features,
    pretext_labels,
    pretext_terms,
    probabilities,
    supervised,
)


@pytest.mark.parametrize('ssl_views', ['inplace_all', 'separate'])
def test_fixmatch_with_pretext_tasks(ssl_views):
    """One mean a task, over all images or over the copies."""
    unlabeled = 9
    model = build('FixMatch', GATED, ssl_views=ssl_views, threshold=0.8)
    net = copy.deepcopy(model)
    apart = ssl_views == 'separate'
    rows = LABELED + (1 if apart else 2) * unlabeled
    labels = pretext_labels(rows)
    copies = torch.randn(rows, 3, 8, 8) if apart else None
    batch, data_samples = draw('FixMatch', unlabeled, pretext_labels=labels,
                               copies=copies)
    losses = model.loss(batch, data_samples)
    parts = [batch.labeled, *batch.views.values()]
    feats = features(net, torch.cat(parts + ([copies] if apart else [])))
    fc = net.head.primary.fc
    z = feats @ fc.weight.T + fc.bias
    labeled, weak, strong = z[:LABELED + 2 * unlabeled].split(
        [LABELED, unlabeled, unlabeled])
    p = probabilities(weak.detach())
    total = sum(cross_entropy(strong[i], int(p[i].argmax()))
                for i in range(unlabeled) if p[i].max() >= 0.8) / unlabeled
    seen = feats[-rows:] if apart else feats
    compare(model, net, losses, supervised(labeled) + total
            + pretext_terms(net, seen, labels))
    assert {'loss_lorot', 'gate_flip', 'acc_perm', 'ce_perm'} <= set(losses)


@pytest.mark.parametrize('kind', ['PiModel', 'PseudoLabel', 'MeanTeacher'])
@pytest.mark.parametrize('apart', [False, True])
def test_baselines_with_pretext_tasks(kind, apart):
    model = build(kind, GATED)
    if kind == 'MeanTeacher':
        model.set_teacher(copy.deepcopy(model))
    net = copy.deepcopy(model)
    rows = LABELED + 7 * (1 if apart else KINDS[kind])
    labels = pretext_labels(rows)
    copies = torch.randn(rows, 3, 8, 8) if apart else None
    batch, data_samples = draw(kind, 7, pretext_labels=labels, copies=copies)
    losses = model.loss(batch, data_samples)
    parts = [copies] if apart else [batch.labeled, *batch.views.values()]
    feats = torch.cat([features(net, part) for part in parts])
    expected = pretext_terms(net, feats, labels)
    found = sum(losses[f'loss_{n}'] for n in ('lorot', 'flip', 'perm'))
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    assert model.head.task_heads['perm'].weight.grad.abs().max() > 0


def test_mixmatch_learns_pretext_tasks_from_copies_alone():
    with pytest.raises(ValueError, match="set ssl_views='separate'"):
        build('MixMatch', GATED)
    model = build('MixMatch', GATED, ssl_views='separate')
    labels = pretext_labels(10)
    batch, data_samples = draw('MixMatch', pretext_labels=labels,
                               copies=torch.randn(10, 3, 8, 8))
    expected = pretext_terms(
        model, features(copy.deepcopy(model), batch.copies), labels)
    losses = model.loss(batch, data_samples)
    found = sum(losses[f'loss_{n}'] for n in ('lorot', 'flip', 'perm'))
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_host_s_head_behind_feature_masks_reads_the_plain_features():
    model = build('FixMatch', GATED,
                  neck=dict(type='gssl_mm.FeatureMaskNeck'))
    net = copy.deepcopy(model)
    batch, data_samples = draw('FixMatch', pretext_labels=pretext_labels(15))
    losses = model.loss(batch, data_samples)
    images = torch.cat([batch.labeled, *batch.views.values()])
    fc = net.head.primary.fc
    z = features(net, images) @ fc.weight.T + fc.bias
    expected = supervised(z[:LABELED])
    assert losses['loss_cls'].item() == pytest.approx(
        expected.item(), rel=1e-5)
