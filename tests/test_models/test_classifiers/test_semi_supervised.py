"""Losses on unlabelled images: value and gradient against the formulas."""
import copy
import math

import pytest
import torch
from mmengine.logging import MessageHub
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

from gssl_mm.datasets.errors import EmptyUnlabeledError
from gssl_mm.models.classifiers.mixmatch_parts import draw_mix, interleave
from gssl_mm.models.classifiers.semi_supervised import guess_accuracy
from gssl_mm.models.losses.consistency import sharpen
from gssl_mm.models.utils import SemiSupervisedBatch, step_generator

CLASSES, WIDTH, LABELED = 4, 6, 5
TASKS = [dict(type='gssl_mm.LocalRotation'), dict(type='gssl_mm.LocalFlip'),
         dict(type='gssl_mm.LocalChannelPermutation')]
LINEAR = dict(type='LinearClsHead', num_classes=CLASSES, in_channels=WIDTH)
GATED = dict(type='gssl_mm.GatedMultiTaskHead', primary=LINEAR,
             in_channels=WIDTH, tasks=TASKS, loss_weight=0.3,
             gate=dict(type='gssl_mm.SoftmaxGate'))
KINDS = {'FixMatch': 2, 'PiModel': 2, 'PseudoLabel': 1, 'MeanTeacher': 2,
         'MixMatch': 2}


class Smooth(nn.Sequential):
    """With batch statistics, without kinks."""

    def __init__(self):
        super().__init__(nn.Conv2d(3, WIDTH, 3, stride=2),
                         nn.BatchNorm2d(WIDTH), nn.Tanh())

    def forward(self, images):
        return (super().forward(images), )


def build(kind, head=LINEAR, views=None, ssl_views='inplace_all', **changes):
    torch.manual_seed(0)
    pretext = dict(tasks=TASKS) if 'tasks' in head else None
    model = MODELS.build(dict(
        type=f'gssl_mm.{kind}Classifier', backbone=Smooth(),
        neck=dict(type='GlobalAveragePooling'), head=copy.deepcopy(head),
        data_preprocessor=dict(
            type='gssl_mm.SemiSupervisedDataPreprocessor', mean=[127.5] * 3,
            std=[127.5] * 3, pretext=pretext, ssl_views=ssl_views,
            views={f'v{i}': [] for i in range(
                KINDS[kind] if views is None else views)}), **changes))
    # Confident enough for some guesses to count
    primary = getattr(model.head, 'primary', model.head)
    nn.init.normal_(primary.fc.weight, std=6.)
    return model.train()


def draw(kind, unlabeled=LABELED, seed=3, **changes):
    draws = torch.Generator().manual_seed(seed)
    truth = torch.randint(CLASSES, (unlabeled, ), generator=draws)
    batch = SemiSupervisedBatch(
        torch.randn(LABELED, 3, 8, 8, generator=draws),
        {f'v{i}': torch.randn(unlabeled, 3, 8, 8, generator=draws)
         for i in range(KINDS[kind])}, None, None, truth)
    return batch._replace(**changes), samples()


def samples():
    return [DataSample().set_gt_label(i % CLASSES) for i in range(LABELED)]


def set_step(step, steps=1000, seed=0):
    MessageHub.get_current_instance().runtime_info.update(
        iter=step, max_iters=steps, seed=seed)


def features(net, images):
    return net.backbone(images)[0].mean((2, 3))


def logits(net, images):
    fc = getattr(net.head, 'primary', net.head).fc
    return features(net, images) @ fc.weight.T + fc.bias


def probabilities(z):
    e = (z - z.max(1, keepdim=True).values).exp()
    return e / e.sum(1, keepdim=True)


def cross_entropy(z, label):
    """One row and one class."""
    return z.exp().sum().log() - z[label]


def supervised(z):
    return sum(cross_entropy(z[i], i % CLASSES)
               for i in range(LABELED)) / LABELED


def forget(net, images):
    """Logits on batch statistics that are not remembered."""
    x, norm = net.backbone[0](images), net.backbone[1]
    mean = x.mean((0, 2, 3), keepdim=True)
    var = ((x - mean)**2).mean((0, 2, 3), keepdim=True)
    x = (x - mean) / (var + norm.eps).sqrt()
    x = x * norm.weight.view(-1, 1, 1) + norm.bias.view(-1, 1, 1)
    fc = net.head.fc
    return x.tanh().mean((2, 3)) @ fc.weight.T + fc.bias


def compare(model, naive_net, losses, expected, tolerance=1e-5):
    """Total loss, all gradients and the running statistics."""
    total = sum(value for key, value in losses.items() if 'loss' in key)
    assert total.item() == pytest.approx(expected.item(), rel=tolerance)
    total.backward()
    expected.backward()
    grads = dict(naive_net.named_parameters())
    for name, param in model.named_parameters():
        assert param.grad is not None or grads[name].grad is None, name
        if param.grad is not None:
            assert torch.allclose(param.grad, grads[name].grad, rtol=1e-3,
                                  atol=tolerance), name
    norm, other = model.backbone[1], naive_net.backbone[1]
    assert torch.allclose(norm.running_mean, other.running_mean, atol=1e-6)
    assert torch.allclose(norm.running_var, other.running_var, atol=1e-6)
    assert norm.num_batches_tracked == other.num_batches_tracked == 1


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


@pytest.mark.parametrize('step, ramp', [(0, 0.), (16384 * 64 // 10, .5)])
def test_mixmatch(step, ramp):
    set_step(step, 2**20, seed=4)
    model = build('MixMatch', ramp_images=2 * step * LABELED or 1)
    net = copy.deepcopy(model)
    batch, data_samples = draw('MixMatch')
    losses = model.loss(batch, data_samples)
    views = list(batch.views.values())
    # Guesses
    mean = sum(probabilities(forget(net, v)).detach() for v in views) / 2
    guess = mean**2 / (mean**2).sum(1, keepdim=True)
    target = torch.eye(CLASSES)[[i % CLASSES for i in range(LABELED)]]
    images = torch.cat([batch.labeled, *views])
    targets = torch.cat([target, guess, guess])
    # Mixing, row by row
    order, share = draw_mix(3 * LABELED, 0.5, step_generator('mixmatch'))
    rows = range(3 * LABELED)
    mixed = torch.stack([share[i] * images[i] + (1 - share[i])
                         * images[order[i]] for i in rows])
    wanted = torch.stack([share[i] * targets[i] + (1 - share[i])
                          * targets[order[i]] for i in rows])
    # 5 = 1 + 2 + 2 rows: the second part trades the middle, the third the end
    a, b, c = (list(range(5)), list(range(5, 10)), list(range(10, 15)))
    a[1:3], b[1:3] = b[1:3], a[1:3]
    a[3:5], c[3:5] = c[3:5], a[3:5]
    z = torch.zeros(15, CLASSES)
    first = logits(net, mixed[a])
    z = z.index_put((torch.tensor(a), ), first)
    for part in (b, c):
        z = z.index_put((torch.tensor(part), ), forget(net, mixed[part]))
    p = probabilities(z)
    labeled = -(wanted[:5] * p[:5].log()).sum() / LABELED
    mse = ((wanted[5:] - p[5:])**2).sum() / (2 * LABELED * CLASSES)
    assert not torch.equal(wanted[:5], target)
    compare(model, net, losses, labeled + 100 * ramp * mse, 1e-4)


def test_draws_of_mixmatch(generator):
    order, share = draw_mix(9000, 0.5, generator)
    assert sorted(order.tolist()) == list(range(9000))
    assert 0.5 <= share.min() and share.max() <= 1
    # An image each; E max(b, 1 - b) = 1/2 + 1/pi for Beta(1/2, 1/2)
    assert len(share.unique()) > 8000
    assert share.mean().item() == pytest.approx(0.5 + 1 / math.pi, abs=0.005)
    tight = draw_mix(9000, 50., generator)[1]
    assert tight.max() < 0.8


@pytest.mark.parametrize('length', [3, 4, 5, 64])
def test_interleaving_twice_restores(length):
    parts = [torch.arange(length) + 100 * i for i in range(3)]
    mixed = interleave(parts)
    assert [len(part) for part in mixed] == [length] * 3
    for i, part in enumerate(mixed[1:], 1):
        assert {int(v) // 100 for v in part} == {0, i}
    assert {int(v) // 100 for v in mixed[0]} == {0, 1, 2}
    for part, again in zip(parts, interleave(mixed), strict=True):
        assert torch.equal(part, again)


def test_sharpening():
    p = torch.tensor([[0.7, 0.2, 0.1], [1., 0., 0.]])
    assert torch.allclose(
        sharpen(p, 0.5)[0], p[0]**2 / (p[0]**2).sum())
    assert torch.allclose(sharpen(p, 1.), p, atol=1e-6)
    assert sharpen(p, 0.01).isfinite().all()


def test_accuracy_of_guesses():
    guess, truth = torch.tensor([0, 1, 2, 3]), torch.tensor([0, 0, -1, 3])
    assert guess_accuracy(guess, truth).item() == pytest.approx(200 / 3)
    mask = torch.tensor([False, True, True, False])
    assert guess_accuracy(guess, truth, mask) == 0
    assert guess_accuracy(guess, torch.full((4, ), -1)) == 0


def pretext_terms(net, feats, labels):
    """lambda sum_n g_n L_n over all rows together."""
    gate = net.head.gate.fc
    weights = probabilities(feats @ gate.weight.T + gate.bias).mean(0)
    total = 0.
    for n, (name, head) in enumerate(net.head.task_heads.items()):
        z = feats @ head.weight.T + head.bias
        mean = sum(cross_entropy(z[i], labels[i, n])
                   for i in range(len(z))) / len(z)
        total = total + weights[n] * mean
        assert name == ('lorot', 'flip', 'perm')[n]
    return 0.3 * total


def pretext_labels(rows):
    draws = torch.Generator().manual_seed(8)
    return torch.stack([torch.randint(k, (rows, ), generator=draws)
                        for k in (16, 2, 6)], 1)


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
        assert all(p.grad is None or p.grad.isfinite().all()
                   for p in model.parameters())
    assert torch.allclose(*totals, rtol=0.03)
    assert not torch.equal(*totals)


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
