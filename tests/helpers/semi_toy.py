"""Small semi-supervised classifiers, and their losses derived naively."""
import copy

import pytest
import torch
from mmengine.logging import MessageHub
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

from gssl_mm.models.utils import SemiSupervisedBatch

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
    changes.setdefault('neck', dict(type='GlobalAveragePooling'))
    model = MODELS.build(dict(
        type=f'gssl_mm.{kind}Classifier', backbone=Smooth(),
        head=copy.deepcopy(head),
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
