"""Losses on unlabelled images: value and gradient against the formulas."""
import copy

import pytest
import torch
from semi_toy import (
    CLASSES,
    LABELED,
    WIDTH,
    build,
    compare,
    cross_entropy,
    draw,
    forget,
    logits,
    probabilities,
    set_step,
    supervised,
)

from gssl_mm.models.classifiers.semi_supervised import guess_accuracy


@pytest.mark.parametrize('threshold, weight', [(0.8, 1.), (0.8, 2.5),
                                               (0., 1.), (1., 1.)])
def test_fixmatch(threshold, weight):
    unlabeled = 9
    model = build('FixMatch', threshold=threshold, unlabeled_weight=weight)
    net = copy.deepcopy(model)
    batch, data_samples = draw('FixMatch', unlabeled)
    losses = model.loss(batch, data_samples)
    # One pass for all
    z = logits(net, torch.cat([batch.labeled, *batch.views.values()]))
    labeled, weak, strong = z.split([LABELED, unlabeled, unlabeled])
    p = probabilities(weak.detach())
    total, chosen, right = 0., 0, 0
    for i in range(unlabeled):
        if p[i].max() >= threshold:
            guess = int(p[i].argmax())
            total = total + cross_entropy(strong[i], guess)
            chosen += 1
            right += guess == batch.truth[i].item()
    assert {0.8: 0 < chosen < 9, 0.: chosen == 9, 1.: chosen == 0}[threshold]
    compare(model, net, losses,
            supervised(labeled) + weight * total / unlabeled)
    assert losses['mask_rate'].item() == pytest.approx(chosen / unlabeled)
    assert losses['acc_masked'].item() == pytest.approx(
        100 * right / max(chosen, 1))
    assert set(losses) == {'loss_cls', 'loss_unlabeled', 'ce_unlabeled',
                           'mask_rate', 'acc_pseudo', 'acc_masked'}


def test_fixmatch_keeps_a_guess_at_the_threshold():
    """At least tau in FixMatch, more than tau in Pseudo-Label."""
    weak = torch.tensor([[0., 0.], [1., 0.]])
    at = weak[1].softmax(0)[0].item()
    model = build('FixMatch', threshold=at)
    found = model.consistency(weak, weak, torch.tensor([0, 0]))
    assert found['mask_rate'] == 0.5
    assert model.consistency(weak, weak, torch.tensor([0, -1]))[
        'acc_pseudo'] == 100
    other = build('PseudoLabel', threshold=at)
    other.logits = lambda feats: weak if len(feats[0]) == 2 else feats[0] @ (
        torch.ones(WIDTH, 2))
    batch, data_samples = draw('PseudoLabel', 2)
    assert other.loss(batch, data_samples)['mask_rate'] == 0


@pytest.mark.parametrize('step, ramp', [(0, 0.), (200, .5), (400, 1.),
                                        (999, 1.)])
def test_pi_model(step, ramp):
    set_step(step)
    model = build('PiModel')
    net = copy.deepcopy(model)
    batch, data_samples = draw('PiModel', 7)
    losses = model.loss(batch, data_samples)
    first, second = batch.views.values()
    target = probabilities(forget(net, first)).detach()
    found = probabilities(forget(net, second))
    mse = sum((target[i, c] - found[i, c])**2
              for i in range(7) for c in range(CLASSES)) / (7 * CLASSES)
    z = logits(net, batch.labeled)
    compare(model, net, losses, supervised(z) + 10 * ramp * mse)
    assert losses['mse_unlabeled'].item() == pytest.approx(mse.item(), rel=1e-5)


@pytest.mark.parametrize('step, ramp', [(100, .25), (700, 1.)])
def test_pseudo_label(step, ramp):
    set_step(step)
    model = build('PseudoLabel', threshold=0.8, unlabeled_weight=1.5)
    net = copy.deepcopy(model)
    batch, data_samples = draw('PseudoLabel', 9)
    losses = model.loss(batch, data_samples)
    z = forget(net, batch.views['v0'])
    p, total = probabilities(z.detach()), 0.
    chosen = [i for i in range(9) if p[i].max() > 0.8]
    assert 0 < len(chosen) < 9
    for i in chosen:
        total = total + cross_entropy(z[i], int(p[i].argmax()))
    labeled = logits(net, batch.labeled)
    compare(model, net, losses,
            supervised(labeled) + 1.5 * ramp * total / 9)


def test_mean_teacher():
    set_step(200)
    model = build('MeanTeacher')
    net = copy.deepcopy(model)
    teacher = copy.deepcopy(model).eval()
    for param in teacher.parameters():
        param.data.mul_(0.7)
    naive_teacher = copy.deepcopy(teacher).train()
    model.set_teacher(teacher)
    before = copy.deepcopy(teacher.state_dict())
    batch, data_samples = draw('MeanTeacher', 7)
    losses = model.loss(batch, data_samples)
    first, second = batch.views.values()
    target = probabilities(forget(naive_teacher, first)).detach()
    found = probabilities(forget(net, second))
    mse = ((target - found)**2).sum() / (7 * CLASSES)
    z = logits(net, batch.labeled)
    compare(model, net, losses, supervised(z) + 50 * 0.5 * mse)
    # The student learns from the teacher, which is left alone
    assert model.backbone[0].weight.grad.abs().max() > 0
    assert all(p.grad is None for p in teacher.parameters())
    for key, value in teacher.state_dict().items():
        assert torch.equal(value, before[key]), key
    assert not any('teacher' in key for key in model.state_dict())


def test_mean_teacher_learns_from_consistency_alone():
    """The loss of a student's logits taken from the teacher is constant."""
    set_step(400)
    model = build('MeanTeacher')
    model.set_teacher(copy.deepcopy(model))
    batch, data_samples = draw('MeanTeacher')
    model.loss(batch, data_samples)['loss_unlabeled'].backward()
    assert model.head.fc.weight.grad.abs().max() > 0


def test_accuracy_of_guesses():
    guess, truth = torch.tensor([0, 1, 2, 3]), torch.tensor([0, 0, -1, 3])
    assert guess_accuracy(guess, truth).item() == pytest.approx(200 / 3)
    mask = torch.tensor([False, True, True, False])
    assert guess_accuracy(guess, truth, mask) == 0
    assert guess_accuracy(guess, torch.full((4, ), -1)) == 0
