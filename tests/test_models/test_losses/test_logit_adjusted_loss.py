import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gssl_mm.models.losses import (
    BalancedSoftmaxLoss,
    LogitAdjustedLoss,
    log_priors,
    logit_gradients,
)
from gssl_mm.registry import MODELS

COUNTS = [500, 100, 20, 5]


def logits_and_targets(n=12):
    logits = 3 * torch.randn(n, 4)
    return logits.requires_grad_(), torch.arange(n) % 4


def naive_balanced_softmax(logits, target, counts):
    """The published formulation: counts in front of the exponentials."""
    total = 0
    for row, label in zip(logits, target.tolist(), strict=True):
        parts = [n * torch.exp(z) for n, z in zip(counts, row, strict=True)]
        total = total - torch.log(parts[label] / sum(parts))
    return total / len(target)


def naive_logit_adjusted(logits, target, counts, tau):
    """The published formulation as a pairwise loss."""
    prior = [n / sum(counts) for n in counts]
    total = 0
    for row, label in zip(logits, target.tolist(), strict=True):
        rivals = sum((prior[k] / prior[label])**tau
                     * torch.exp(row[k] - row[label])
                     for k in range(len(counts)) if k != label)
        total = total + torch.log(1 + rivals)
    return total / len(target)


def compare(loss, naive):
    logits, target = logits_and_targets()
    other = logits.detach().clone().requires_grad_()
    got, expected = loss(logits, target, avg_factor=12), naive(other, target)
    assert torch.allclose(got, expected, rtol=1e-5)
    got.backward()
    expected.backward()
    assert torch.allclose(logits.grad, other.grad, atol=1e-6)


def test_balanced_softmax_equals_the_published_formulation():
    compare(BalancedSoftmaxLoss(class_counts=COUNTS),
            lambda z, y: naive_balanced_softmax(z, y, COUNTS))


@pytest.mark.parametrize('tau', [0., 0.5, 1., 2.])
def test_logit_adjustment_equals_the_published_formulation(tau):
    compare(LogitAdjustedLoss(tau=tau, class_counts=COUNTS),
            lambda z, y: naive_logit_adjusted(z, y, COUNTS, tau))


def test_no_strength_or_equal_counts_are_cross_entropy():
    logits, target = logits_and_targets()
    expected = F.cross_entropy(logits, target)
    for loss in (LogitAdjustedLoss(tau=0, class_counts=COUNTS),
                 BalancedSoftmaxLoss(class_counts=[7] * 4)):
        assert torch.allclose(loss(logits, target), expected)


def test_balanced_softmax_is_logit_adjustment_of_strength_one():
    logits, target = logits_and_targets()
    assert torch.equal(
        BalancedSoftmaxLoss(class_counts=COUNTS)(logits, target),
        LogitAdjustedLoss(tau=1, class_counts=COUNTS)(logits, target))


def test_the_minimum_is_at_the_likelihood_of_the_features():
    """One feature value with p(x | k): free logits find ln p(x | k)."""
    counts, likelihood = [90, 10], [0.2, 0.7]
    logits = torch.zeros(1, 2, requires_grad=True)
    loss = BalancedSoftmaxLoss(class_counts=counts)
    shares = torch.tensor([[n * p for n, p in zip(
        counts, likelihood, strict=True)]])
    shares = shares / shares.sum()
    optimizer = torch.optim.SGD([logits], lr=2.)
    for _ in range(300):
        optimizer.zero_grad()
        loss(logits, shares).backward()
        optimizer.step()
    gap = (logits[0, 1] - logits[0, 0]).item()
    assert math.isclose(gap, math.log(0.7 / 0.2), abs_tol=1e-4)


def test_mixed_images_and_class_weights():
    logits, _ = logits_and_targets()
    shares, weight = torch.rand(12, 4).softmax(1), [0.4, 0.6, 1., 2.]
    loss = BalancedSoftmaxLoss(class_counts=COUNTS)
    loss.set_class_weight(weight)
    total = norm = 0
    for row, share in zip(logits, shares, strict=True):
        for k in range(4):
            ell = naive_balanced_softmax(
                row[None], torch.tensor([k]), COUNTS)
            total = total + share[k] * weight[k] * ell
            norm = norm + share[k] * weight[k]
    assert torch.allclose(loss(logits, shares), total / norm, rtol=1e-5)


@pytest.mark.parametrize('mixed', [False, True])
def test_closed_form_of_the_gradient(mixed):
    logits, target = logits_and_targets()
    if mixed:
        target = torch.rand(12, 4).softmax(1)
    loss = LogitAdjustedLoss(tau=1.5, class_counts=COUNTS)
    loss.set_class_weight([4, 3, 2, 1])
    weights = torch.tensor([4., 3., 2., 1.])
    norm = (weights[target] if not mixed else target * weights).sum()
    loss(logits, target).backward()
    found = logit_gradients(loss, logits.detach(), target)
    assert torch.allclose(found / norm, logits.grad, atol=1e-6)


def test_joint_labels_repeat_the_shifts():
    plain = BalancedSoftmaxLoss(class_counts=COUNTS)
    joint = BalancedSoftmaxLoss(class_counts=COUNTS, label_repeat=5)
    assert torch.equal(joint.shifts, plain.shifts.repeat_interleave(5))
    logits = torch.randn(6, 20)
    assert joint(logits, torch.arange(6)).isfinite()


def test_frequencies():
    assert np.allclose(np.exp(log_priors(COUNTS)), np.array(COUNTS) / 625)


def test_bf16_logits_are_computed_in_float32():
    logits, target = logits_and_targets()
    loss = BalancedSoftmaxLoss(class_counts=COUNTS)
    assert loss(logits.bfloat16(), target).dtype == torch.float32


@pytest.mark.parametrize('make, message', [
    (lambda: LogitAdjustedLoss(tau=-1), 'tau'),
    (lambda: BalancedSoftmaxLoss(class_counts=[5, 0]), 'no training sample'),
    (lambda: BalancedSoftmaxLoss()(
        torch.rand(2, 4), torch.tensor([0, 1])), 'LDAMHook'),
    (lambda: BalancedSoftmaxLoss(class_counts=[5, 3])(
        torch.rand(2, 4), torch.tensor([0, 1])), 'num_classes'),
])
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_builds_from_a_config_keeps_no_state_and_moves_with_the_model():
    loss = MODELS.build(dict(
        type='gssl_mm.LogitAdjustedLoss', tau=1.5, class_counts=COUNTS))
    assert not loss.state_dict()
    loss = loss.to(torch.float64).to('meta')
    assert loss.shifts.device.type == 'meta'
    assert loss.shifts.dtype == torch.float64
