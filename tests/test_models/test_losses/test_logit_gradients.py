import pytest
import torch
from mmpretrain.models.losses import CrossEntropyLoss, LabelSmoothLoss

from gssl_mm.models.losses import (
    BalancedSoftmaxLoss,
    ClassBalancedCrossEntropyLoss,
    LDAMLoss,
    LogitAdjustedLoss,
    NoClosedFormError,
    SoftmaxFocalLoss,
    effective_number_weights,
    logit_gradients,
)

N, K = 9, 5
COUNTS = [500, 120, 40, 9, 2]
WEIGHT = effective_number_weights(COUNTS, 0.99)


def weighted(loss):
    loss.set_class_counts(COUNTS)
    loss.set_class_weight(WEIGHT)
    return loss


LOSSES = {
    'host': lambda: CrossEntropyLoss(),
    'host weighted': lambda: CrossEntropyLoss(class_weight=WEIGHT.tolist()),
    'balanced': lambda: weighted(ClassBalancedCrossEntropyLoss()),
    'plain': lambda: ClassBalancedCrossEntropyLoss(),
    'focal': lambda: weighted(SoftmaxFocalLoss(gamma=2.)),
    'ldam': lambda: LDAMLoss(class_counts=COUNTS),
    'ldam drw': lambda: weighted(LDAMLoss()),
    'adjusted': lambda: weighted(LogitAdjustedLoss(tau=1.5)),
    'balanced softmax': lambda: BalancedSoftmaxLoss(class_counts=COUNTS),
}


@pytest.mark.parametrize('mixed', [False, True])
@pytest.mark.parametrize('name', LOSSES)
def test_gradient_equals_that_of_autograd(name, mixed):
    loss = LOSSES[name]()
    logits = (10 * torch.rand(N, K) - 5).requires_grad_()
    target = torch.arange(N) % K
    shares = torch.nn.functional.one_hot(target, K).float()
    if mixed:
        target = shares = 0.7 * shares + 0.3 * shares.flip(0)
    factor = 1.
    if hasattr(loss, 'set_class_weight') and loss.class_weight.numel():
        # Its mean divides by the sum of the weights
        factor = (shares * loss.class_weight).sum()
    else:
        factor = N
    total = factor * loss(logits, target, avg_factor=N)
    want, = torch.autograd.grad(total, logits)
    got = logit_gradients(loss, logits, target)
    assert not got.requires_grad
    assert torch.allclose(got, want, atol=1e-5)
    assert want.abs().max() > 0.1


@pytest.mark.parametrize('name', ['focal', 'ldam drw'])
def test_a_model_that_is_sure_gets_finite_gradients(name):
    logits = 30 * torch.eye(K)
    for target in (torch.arange(K), torch.eye(K)):
        found = logit_gradients(LOSSES[name](), logits, target)
        assert found.isfinite().all() and found.abs().max() < 1e-3


def test_other_losses_are_refused_by_name_or_bring_their_own():
    for loss in (LabelSmoothLoss(0.1), CrossEntropyLoss(use_sigmoid=True)):
        with pytest.raises(NoClosedFormError, match='logit_gradients'):
            logit_gradients(loss, torch.rand(N, K), torch.arange(N) % K)

    class Squares(torch.nn.Module):

        def logit_gradients(self, logits, target):
            return 2 * logits

    logits = torch.rand(N, K)
    assert torch.equal(logit_gradients(Squares(), logits, None), 2 * logits)
