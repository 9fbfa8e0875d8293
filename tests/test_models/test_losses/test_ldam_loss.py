import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gssl_mm.models.losses import (
    ClassBalancedCrossEntropyLoss,
    LDAMLoss,
    SoftmaxFocalLoss,
    effective_number_weights,
    ldam_margins,
)
from gssl_mm.registry import MODELS

COUNTS = [500, 100, 20, 5]


class NaiveLDAM:
    """The published formulation: one-hot mask, margin, scale, weighted CE."""

    def __init__(self, counts, max_m=0.5, s=30, weight=None):
        m = 1.0 / np.sqrt(np.sqrt(counts))
        self.m = torch.tensor(m * (max_m / np.max(m)), dtype=torch.float32)
        self.s, self.weight = s, weight

    def __call__(self, cosines, target):
        one_hot = F.one_hot(target, cosines.size(1)).float()
        shifted = self.s * (cosines - one_hot * self.m)
        return F.cross_entropy(shifted, target, weight=self.weight)


def naive_weights(counts, beta):
    weights = [(1 - beta) / (1 - beta**n) for n in counts]
    return [w / sum(weights) * len(counts) for w in weights]


def cosines_and_targets(n=12):
    cosines = torch.rand(n, 4) * 2 - 1
    return cosines.requires_grad_(), torch.arange(n) % 4


@pytest.mark.parametrize('beta', [0, 0.9, 0.9999])
def test_effective_number_weights(beta):
    weights = effective_number_weights(COUNTS, beta)
    assert np.allclose(weights, naive_weights(COUNTS, beta))
    assert math.isclose(weights.sum(), 4)
    if beta == 0:
        assert np.array_equal(weights, np.ones(4))


def test_margins_are_largest_for_the_rarest_class():
    margins = ldam_margins(COUNTS, 0.5)
    assert np.allclose(margins, [0.5 * (5 / n)**0.25 for n in COUNTS])
    assert margins[-1] == 0.5


@pytest.mark.parametrize('beta', [None, 0.9999])
def test_value_and_gradient_equal_the_authors_formulation(beta):
    cosines, target = cosines_and_targets()
    other = cosines.detach().clone().requires_grad_()
    loss = LDAMLoss(class_counts=COUNTS)
    weight = None
    if beta:
        weight = torch.tensor(naive_weights(COUNTS, beta))
        loss.set_class_weight(effective_number_weights(COUNTS, beta))
    got = loss(30 * cosines, target, avg_factor=12)
    expected = NaiveLDAM(COUNTS, weight=weight)(other, target)
    assert torch.allclose(got, expected, rtol=1e-5)
    got.backward()
    expected.backward()
    assert torch.allclose(cosines.grad, other.grad, atol=1e-6)


def test_weights_can_be_switched_back_off():
    cosines, target = cosines_and_targets()
    loss = LDAMLoss(class_counts=COUNTS)
    before = loss(30 * cosines, target)
    loss.set_class_weight([4, 3, 2, 1])
    assert not torch.allclose(loss(30 * cosines, target), before)
    loss.set_class_weight(None)
    assert torch.equal(loss(30 * cosines, target), before)


def test_weights_are_no_counts():
    cosines, target = cosines_and_targets()
    loss = LDAMLoss()
    loss.set_class_weight(None)
    loss.set_class_weight([4, 3, 2, 1])
    with pytest.raises(ValueError, match='class counts'):
        loss(30 * cosines, target)


def naive_soft(cosines, shares, counts, weight):
    """Every target class in turn, weighted by its share."""
    single = NaiveLDAM(counts)
    total, norm = 0, 0
    for i in range(len(cosines)):
        for k in range(4):
            share = shares[i, k] * weight[k]
            ell = single(cosines[i:i + 1], torch.tensor([k]))
            total, norm = total + share * ell, norm + share
    return total / norm


def test_soft_targets_of_mixed_images():
    cosines, _ = cosines_and_targets()
    other = cosines.detach().clone().requires_grad_()
    shares = torch.rand(12, 4).softmax(1)
    weight = torch.tensor([0.4, 0.6, 1., 2.])
    loss = LDAMLoss(class_counts=COUNTS)
    loss.set_class_weight(weight.numpy())
    got = loss(30 * cosines, shares)
    expected = naive_soft(other, shares, COUNTS, weight)
    assert torch.allclose(got, expected, rtol=1e-5)
    got.backward()
    expected.backward()
    assert torch.allclose(cosines.grad, other.grad, atol=1e-5)


def test_soft_targets_that_are_hard_equal_labels_even_when_sure():
    cosines = torch.eye(4).repeat(3, 1) * 2 - 1
    target = torch.arange(12) % 4
    loss = LDAMLoss(class_counts=COUNTS)
    hard = loss(30 * cosines, target)
    soft = loss(30 * cosines, F.one_hot(target, 4).float())
    assert torch.allclose(hard, soft, rtol=1e-4)


def test_joint_labels_repeat_counts_and_weights():
    plain, joint = LDAMLoss(class_counts=COUNTS), LDAMLoss(label_repeat=5)
    joint.set_class_counts(COUNTS)
    joint.set_class_weight([1, 2, 3, 4])
    assert torch.equal(joint.margins, plain.margins.repeat_interleave(5))
    assert joint.class_weight.tolist() == np.repeat([1, 2, 3, 4], 5).tolist()


def test_class_balanced_cross_entropy():
    logits, target = cosines_and_targets()
    loss = ClassBalancedCrossEntropyLoss()
    assert torch.allclose(loss(logits, target), F.cross_entropy(logits, target))
    loss.set_class_weight([4, 3, 2, 1])
    expected = F.cross_entropy(
        logits, target, weight=torch.tensor([4., 3., 2., 1.]))
    assert torch.allclose(loss(logits, target), expected)


@pytest.mark.parametrize('gamma', [0.25, 1, 2])
def test_focal_loss_where_the_model_is_sure(gamma):
    logits = torch.tensor([[60., -5.], [0., 1.]], requires_grad=True)
    loss = SoftmaxFocalLoss(gamma=gamma)
    for target in (torch.tensor([0, 1]), torch.tensor([[1., 0.], [.5, .5]])):
        grad, = torch.autograd.grad(loss(logits, target), logits)
        assert grad.isfinite().all() and grad[1].abs().min() > 0


@pytest.mark.parametrize('gamma', [0, 0.5, 1, 2])
def test_focal_loss(gamma):
    logits, target = cosines_and_targets()
    other = logits.detach().clone().requires_grad_()
    got = SoftmaxFocalLoss(gamma=gamma)(logits, target)
    prob = other.softmax(1)[torch.arange(12), target]
    expected = ((1 - prob)**gamma * -prob.log()).mean()
    assert torch.allclose(got, expected)
    got.backward()
    expected.backward()
    assert torch.allclose(logits.grad, other.grad, atol=1e-6)


def test_bf16_logits_are_computed_in_float32():
    cosines, target = cosines_and_targets()
    loss = LDAMLoss(class_counts=COUNTS)
    out = loss((30 * cosines).bfloat16(), target)
    assert out.dtype == torch.float32


@pytest.mark.parametrize('make, message', [
    (lambda: LDAMLoss(max_margin=0), 'must be positive'),
    (lambda: LDAMLoss(class_counts=[5, 0]), 'no training sample'),
    (lambda: LDAMLoss()(torch.rand(2, 4), torch.tensor([0, 1])), 'LDAMHook'),
    (lambda: LDAMLoss(class_counts=[5, 3])(
        torch.rand(2, 4), torch.tensor([0, 1])), 'num_classes'),
    (lambda: SoftmaxFocalLoss(gamma=-1), 'gamma'),
    (lambda: effective_number_weights([5], 1), 'beta'),
    (lambda: effective_number_weights([0], 0.9), 'no training sample'),
    (lambda: LDAMLoss(class_counts=[5, 3]).set_class_weight([1]), 'weights'),
])
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_builds_from_a_config_and_keeps_no_state():
    loss = MODELS.build(dict(type='gssl_mm.LDAMLoss', class_counts=COUNTS))
    assert not loss.state_dict()


def test_margins_and_weights_move_with_the_model():
    loss = LDAMLoss(class_counts=COUNTS).to(torch.float64).to('meta')
    assert loss.margins.device.type == loss.class_weight.device.type == 'meta'
    assert loss.margins.dtype == torch.float64
