import math

import pytest
import torch
import torch.nn.functional as F
from mmengine.evaluator import Evaluator
from mmpretrain.structures import DataSample

from gssl_mm.models.heads import to_plain_head
from gssl_mm.models.heads.joint_functional import distillation
from gssl_mm.models.losses import LDAMLoss
from gssl_mm.registry import METRICS, MODELS

N, K, T, D = 6, 4, 2, (5, 7)
V = T + 1
COUNTS = [9, 5, 3, 1]
LDAM = dict(type='gssl_mm.LDAMLoss', class_counts=COUNTS)


def build(**kwargs):
    cfg = dict(type='gssl_mm.JointLabelHead', num_classes=K, in_channels=D,
               num_masks=T)
    return MODELS.build(dict(cfg, **kwargs))


def feats(views=V, channels=D):
    return tuple(torch.randn(N, views, c, requires_grad=True)
                 for c in channels)


def samples(soft=False):
    out = []
    for i in range(N):
        sample = DataSample().set_gt_label(i % K)
        if soft:
            share = 0.3 * F.one_hot(torch.tensor(i % K), K)
            other = 0.7 * F.one_hot(torch.tensor((i + 1) % K), K)
            sample.set_gt_score(share + other)
        out.append(sample)
    return out


def naive_logits(layer, x):
    """Joint logits of one feature vector."""
    if hasattr(layer, 'bias'):
        return layer.weight @ x + layer.bias
    weight = layer.weight / layer.weight.norm(dim=1, keepdim=True)
    return layer.scale * weight @ (x / x.norm())


def naive_cross_entropy(logits, label):
    return torch.log(torch.exp(logits).sum()) - logits[label]


def naive_aggregated(head, maps, i, mode='prob_mean'):
    """Equation 4, a sample, class and view at a time."""
    views = head.num_views
    scores = []
    for layer, feat in zip([*head.earlier, head.fc], maps, strict=True):
        score = [
            sum(naive_logits(layer, feat[i, v])[views * c + v]
                for v in range(views)) / views for c in range(K)]
        scores.append(torch.stack(score))
    if mode == 'logit_sum':
        return torch.softmax(sum(scores), 0)
    return sum(torch.softmax(s, 0) for s in scores) / len(scores)


def naive_loss(head, maps, soft=False, teacher=None):
    """Equations 3 and 6, a sample and view at a time."""
    total = 0.
    layers = [*head.earlier, head.fc]
    weights = [head.beta] * len(head.earlier) + [1.]
    views = head.num_views
    for i in range(N):
        parts = [(i % K, 1.)]
        if soft:
            parts = [(i % K, 0.3), ((i + 1) % K, 0.7)]
        for weight, layer, feat in zip(weights, layers, maps, strict=True):
            for v in range(views):
                logits = naive_logits(layer, feat[i, v])
                for y, share in parts:
                    total = total + weight * share * naive_cross_entropy(
                        logits, views * y + v) / views
        if head.student is None:
            continue
        logits = naive_logits(head.student, maps[-1][i, 0])
        for y, share in parts:
            total = total + share * naive_cross_entropy(logits, y)
        p = naive_aggregated(head, maps, i, head.ag_mode).detach()
        q = torch.softmax(logits, 0)
        if head.kl_dir == 'student_teacher':
            p, q = q, p
        total = total + sum(p[c] * torch.log(p[c] / q[c]) for c in range(K))
    return total / N


def compare(head, maps, expected, data_samples):
    losses = head.loss(maps, data_samples)
    got = sum(losses.values())
    torch.testing.assert_close(got, expected)
    inputs = [*maps, *head.parameters()]
    for one, two in zip(torch.autograd.grad(got, inputs),
                        torch.autograd.grad(expected, inputs), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-6)
    return losses


CASES = [
    dict(),
    dict(beta=0.3),
    dict(inference='distilled'),
    dict(inference='distilled', kl_dir='student_teacher'),
    dict(inference='distilled', ag_mode='logit_sum', beta=0.5),
    dict(inference='distilled', head='cosine', scale=4.),
    dict(in_channels=7),
    dict(in_channels=[7], num_rotations=4, num_masks=0, inference='distilled'),
    dict(num_rotations=4, num_masks=1),
]


@pytest.mark.parametrize('soft', [False, True])
@pytest.mark.parametrize('kwargs', CASES)
def test_loss_equals_the_equations(kwargs, soft):
    head = build(**kwargs)
    maps = feats(head.num_views, head.in_channels)
    losses = compare(
        head, maps, naive_loss(head, maps, soft), samples(soft))
    keys = {'loss_cls'}
    if len(maps) > 1:
        keys.add('loss_earlier')
    if head.student is not None:
        keys |= {'loss_student', 'loss_distill'}
    assert set(losses) == keys


def test_mixup_weighs_two_losses_that_share_the_mask():
    head = build(loss=dict(type='CrossEntropyLoss', use_soft=True))
    maps = feats()
    mixed = sum(head.loss(maps, samples(soft=True)).values())
    plain = build()
    plain.load_state_dict(head.state_dict())
    terms = []
    for shift in (0, 1):
        labels = [DataSample().set_gt_label((i + shift) % K) for i in range(N)]
        terms.append(sum(plain.loss(maps, labels).values()))
    torch.testing.assert_close(mixed, 0.3 * terms[0] + 0.7 * terms[1])


def naive_ldam(cosines, labels, counts, weight, scale=30.):
    """Weighted mean of margin cross-entropies, a row at a time."""
    margins = [0.5 * (min(counts) / n)**0.25 for n in counts]
    total, norm = 0., 0.
    for row, y in zip(cosines, labels, strict=True):
        logits = row - scale * margins[y] * F.one_hot(
            torch.tensor(y), len(counts))
        total = total + weight[y] * naive_cross_entropy(logits, y)
        norm = norm + weight[y]
    return total / norm


def test_ldam_repeats_counts_and_weights_for_the_views():
    head = build(head='cosine', inference='distilled', loss=LDAM)
    weight = [0.4, 0.8, 1.2, 1.6]
    for module in head.modules():
        if isinstance(module, LDAMLoss):
            module.set_class_weight(weight)
    maps = feats()
    losses = head.loss(maps, samples())
    y = [i % K for i in range(N)]
    joint = [V * label + v for label in y for v in range(V)]
    for key, layer, feat in (('loss_earlier', head.earlier[0], maps[0]),
                             ('loss_cls', head.fc, maps[1])):
        rows = [naive_logits(layer, feat[i, v])
                for i in range(N) for v in range(V)]
        expected = naive_ldam(
            rows, joint, [n for n in COUNTS for _ in range(V)],
            [w for w in weight for _ in range(V)])
        torch.testing.assert_close(losses[key], expected, rtol=1e-5, atol=1e-5)
    rows = [naive_logits(head.student, maps[1][i, 0]) for i in range(N)]
    torch.testing.assert_close(
        losses['loss_student'], naive_ldam(rows, y, COUNTS, weight),
        rtol=1e-5, atol=1e-5)
    kl = [F.kl_div(torch.log_softmax(row, 0), naive_aggregated(head, maps, i),
                   reduction='sum') for i, row in enumerate(rows)]
    torch.testing.assert_close(
        losses['loss_distill'], sum(kl) / N, rtol=1e-4, atol=1e-5)


def test_the_hosts_losses_are_widened_for_the_views():
    weight = [0.4, 0.8, 1.2, 1.6]
    head = build(inference='distilled', loss=dict(
        type='CrossEntropyLoss', class_weight=weight))
    maps = feats()
    losses = head.loss(maps, samples())
    total, student = 0., 0.
    for i in range(N):
        y = i % K
        student = student + weight[y] / N * naive_cross_entropy(
            naive_logits(head.student, maps[1][i, 0]), y)
        for v in range(V):
            total = total + weight[y] / (N * V) * naive_cross_entropy(
                naive_logits(head.fc, maps[1][i, v]), V * y + v)
    torch.testing.assert_close(losses['loss_cls'], total)
    torch.testing.assert_close(losses['loss_student'], student)
    smooth = build(inference='distilled', loss=dict(
        type='LabelSmoothLoss', label_smooth_val=0.1, num_classes=K))
    free = build(inference='distilled', loss=dict(
        type='LabelSmoothLoss', label_smooth_val=0.1))
    free.load_state_dict(smooth.state_dict())
    for key, value in free.loss(maps, samples()).items():
        torch.testing.assert_close(smooth.loss(maps, samples())[key], value)


@pytest.mark.parametrize('kind', ['linear', 'cosine'])
@pytest.mark.parametrize('ag_mode', ['prob_mean', 'logit_sum'])
def test_three_ways_to_infer(kind, ag_mode):
    head = build(inference='distilled', ag_mode=ag_mode, head=kind, scale=3.)
    maps = feats()
    single, student, aggregated = [], [], []
    for i in range(N):
        single.append(naive_logits(head.fc, maps[1][i, 0])[::V])
        student.append(naive_logits(head.student, maps[1][i, 0]))
        aggregated.append(naive_aggregated(head, maps, i, ag_mode))
    expected = dict(
        single=torch.stack(single).softmax(1),
        distilled=torch.stack(student).softmax(1),
        aggregated=torch.stack(aggregated))
    predicted = {}
    for mode, probs in expected.items():
        head.inference = mode
        logits = head(maps)
        assert logits.shape == (N, K)
        torch.testing.assert_close(logits.softmax(1), probs)
        predicted[mode] = head.predict(maps, samples())
        scores = torch.stack([s.pred_score for s in predicted[mode]])
        torch.testing.assert_close(scores, probs)
    for run in predicted.values():
        for i, sample in enumerate(run):
            for mode, probs in expected.items():
                label = sample.get(f'pred_label_{mode}')
                assert label.tolist() == [int(probs[i].argmax())]


def test_one_evaluation_reports_every_mode():
    head = build(inference='distilled')
    maps = feats()
    accuracy = {}
    for mode in head.modes:
        head.inference = mode
        hits = head(maps).argmax(1) == torch.arange(N) % K
        accuracy[f'acc_{mode}'] = 100 * float(hits.double().mean())
    evaluator = Evaluator(
        METRICS.build(dict(type='gssl_mm.InferenceModeAccuracy')))
    half = N // 2
    predictions = head.predict(maps, samples())
    evaluator.process(predictions[:half])
    evaluator.process(predictions[half:])
    assert evaluator.evaluate(N) == pytest.approx(accuracy)
    assert build().modes == ('single', 'aggregated')
    with pytest.raises(ValueError, match='JointLabelHead'):
        evaluator.process([DataSample().set_gt_label(0).set_pred_label(0)])


@pytest.mark.parametrize('kind', ['linear', 'cosine'])
@pytest.mark.parametrize('inference', ['single', 'distilled'])
def test_export_has_the_plain_size_and_the_same_logits(kind, inference):
    head = build(inference='distilled', head=kind)
    head.inference = inference
    plain = to_plain_head(head, inference)
    maps = feats()
    torch.testing.assert_close(plain((maps[1][:, 0], )), head(maps))
    reference = MODELS.build(dict(
        type='LinearClsHead' if kind == 'linear' else 'gssl_mm.CosineClsHead',
        num_classes=K, in_channels=D[1]))
    assert type(plain) is type(reference)
    assert ([p.shape for p in plain.parameters()]
            == [p.shape for p in reference.parameters()])


def test_chance_level_of_the_loss():
    head = build(inference='distilled')
    for param in head.parameters():
        torch.nn.init.zeros_(param)
    losses = head.loss(feats(), samples())
    assert losses['loss_cls'].item() == pytest.approx(math.log(K * V))
    assert losses['loss_student'].item() == pytest.approx(math.log(K))
    assert losses['loss_distill'].item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize('direction', ['teacher_student', 'student_teacher'])
def test_the_teacher_gets_no_gradient(direction):
    teacher, student = (torch.randn(N, K, requires_grad=True) for _ in '12')
    distillation(teacher, student, direction).backward()
    assert teacher.grad is None
    assert student.grad.abs().max() > 0
    same = distillation(teacher, teacher.detach(), direction)
    assert same.item() == pytest.approx(0, abs=1e-6)
