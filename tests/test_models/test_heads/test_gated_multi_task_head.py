import copy

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.structures import DataSample

from gssl_mm.models.heads import CosineClsHead, CosineLinear
from gssl_mm.registry import MODELS

N, D = 10, 6
TASKS = [dict(type='gssl_mm.LocalRotation'), dict(type='gssl_mm.LocalFlip'),
         dict(type='gssl_mm.LocalChannelPermutation')]
CLASSES = [16, 2, 6]
GATES = [
    None,
    dict(type='gssl_mm.UniformGate', total=1),
    dict(type='gssl_mm.FixedGate', weights=[0.5, 0.25, 0.25]),
    *(dict(type='gssl_mm.SoftmaxGate', grad=grad, reduce=reduce, init=init)
      for grad in ('learned', 'detached')
      for reduce in ('prob_mean', 'logit_mean', 'per_sample')
      for init in ('default', 'kaiming')),
]


def build(gate=None, task_head='linear', primary=None, **kwargs):
    primary = primary or dict(
        type='LinearClsHead', num_classes=4, in_channels=D)
    return MODELS.build(dict(
        type='gssl_mm.GatedMultiTaskHead', primary=primary, tasks=TASKS,
        in_channels=D, gate=copy.deepcopy(gate), task_head=task_head, **kwargs))


def batch(n=N):
    samples = [DataSample().set_gt_label(i % 4) for i in range(n)]
    labels = torch.stack([torch.arange(n) % k for k in CLASSES], 1)
    for sample, row in zip(samples, labels, strict=True):
        sample.set_field(row, 'pretext_labels')
    return samples, labels


@pytest.mark.parametrize('task_head', ['linear', 'cosine'])
@pytest.mark.parametrize('gate', GATES)
def test_loss_equals_the_equation_task_by_task(gate, task_head):
    head = build(gate, task_head, loss_weight=0.3)
    samples, labels = batch()
    feats = torch.randn(N, D, requires_grad=True)
    losses = head.loss((feats, ), samples)
    total = sum(v for k, v in losses.items() if 'loss' in k)

    other = feats.detach().clone().requires_grad_()
    each = []
    for (name, layer), column in zip(
            head.task_heads.items(), labels.T, strict=True):
        if task_head == 'cosine':
            logits = F.normalize(other) @ F.normalize(layer.weight).T
        else:
            logits = layer(other)
        each.append(F.cross_entropy(logits, column, reduction='none'))
        assert torch.allclose(losses[f'ce_{name}'], each[-1].mean(), atol=1e-6)
        hits = (logits.argmax(1) == column).float().mean()
        assert torch.allclose(losses[f'acc_{name}'], 100 * hits)
    terms = head.gate(other, torch.stack(each, 1)).terms
    primary = head.primary.loss((other, ), samples)['loss']
    expected = primary + 0.3 * terms.sum()
    assert torch.allclose(total, expected, atol=1e-6)
    grads = torch.autograd.grad(total, [feats, *trainable(head)])
    naive = torch.autograd.grad(expected, [other, *trainable(head)])
    for got, want in zip(grads, naive, strict=True):
        assert torch.allclose(got, want, atol=1e-6)


def trainable(head):
    return [p for p in head.parameters() if p.requires_grad]


@pytest.mark.parametrize('gate', GATES)
def test_every_trainable_parameter_gets_a_gradient(gate):
    head = build(gate)
    losses = head.loss((torch.randn(N, D), ), batch()[0])
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    for name, param in head.named_parameters():
        assert (param.grad is not None) == param.requires_grad, name
    frozen = {n for n, p in head.named_parameters() if not p.requires_grad}
    detached = gate is not None and gate.get('grad') == 'detached'
    assert frozen == ({'gate.fc.weight', 'gate.fc.bias'} if detached else set())


def test_only_weighted_terms_carry_loss_in_their_key():
    losses = build(GATES[2]).loss((torch.randn(N, D), ), batch()[0])
    assert {k for k in losses if 'loss' in k} == {
        'loss_cls', 'loss_lorot', 'loss_flip', 'loss_perm'}
    assert {'ce_lorot', 'gate_flip', 'acc_perm'} <= set(losses)


def test_forward_and_predict_are_the_primary_heads():
    head = build(GATES[2])
    feats = (torch.randn(N, D), )
    assert torch.equal(head(feats), head.primary(feats))
    assert head(feats).shape == (N, 4)
    scores = torch.stack([s.pred_score for s in head.predict(feats)])
    assert torch.allclose(scores, head.primary(feats).softmax(1))


def test_reads_the_unmasked_feature():
    head = build(primary=dict(
        type='gssl_mm.CosineClsHead', num_classes=4, in_channels=D))
    masked = torch.randn(N, 5, D)
    assert torch.equal(head((masked, )), head((masked[:, 0], )))
    assert torch.equal(build().pre_logits((masked, )), masked[:, 0])


class Doubled(LinearClsHead):
    """A head with a second term, named as a pretext task's."""

    def loss(self, feats, data_samples, **kwargs):
        loss = super().loss(feats, data_samples, **kwargs)['loss']
        return dict(loss_cls=loss, loss_lorot=loss)


def test_terms_of_one_name_are_refused():
    head = build(primary=Doubled(4, D))
    samples, _ = batch()
    with pytest.raises(ValueError, match=r"returns \['loss_lorot'\] too"):
        head.loss((torch.randn(N, D), ), samples)


@pytest.mark.parametrize('primary', [
    dict(type='gssl_mm.CosineClsHead', num_classes=4, in_channels=D,
         loss=dict(type='gssl_mm.LDAMLoss', class_counts=[9, 5, 3, 1])),
    dict(type='LinearClsHead', num_classes=4, in_channels=D,
         loss=dict(type='LabelSmoothLoss', label_smooth_val=0.1)),
    dict(type='StackedLinearClsHead', num_classes=4, in_channels=D,
         mid_channels=[8], act_cfg=dict(type='ReLU')),
])
def test_any_classification_head_may_be_primary(primary):
    head = build(primary=primary)
    samples, _ = batch()
    losses = head.loss((torch.randn(N, D), ), samples)
    assert losses['loss_cls'].isfinite()
    assert head((torch.randn(2, D), )).shape == (2, 4)


def test_losses_are_float32_under_autocast():
    head = build(GATES[2], 'cosine')
    feats = torch.randn(N, D)
    plain = head.loss((feats, ), batch()[0])
    with torch.autocast('cpu', dtype=torch.bfloat16):
        cast = head.loss((feats, ), batch()[0])
        assert head((feats, )).dtype == torch.float32
    for key in plain:
        assert cast[key].dtype == torch.float32
        assert torch.equal(cast[key], plain[key]), key


def test_a_batch_without_or_with_other_labels_is_refused():
    head = build()
    bare = [DataSample().set_gt_label(0)]
    with pytest.raises(ValueError, match='PretextDataPreprocessor'):
        head.loss((torch.randn(1, D), ), bare)
    samples, _ = batch()
    for sample in samples:
        sample.pretext_labels = sample.pretext_labels[:2]
    with pytest.raises(ValueError, match='2 pretext labels'):
        head.loss((torch.randn(N, D), ), samples)
    samples, _ = batch()
    samples[0].set_field(
        (('lorot', 4), ), 'pretext_tasks', field_type='metainfo')
    with pytest.raises(ValueError, match='same order'):
        head.loss((torch.randn(N, D), ), samples)


@pytest.mark.parametrize('kwargs, message', [
    (dict(loss_weight=-1), 'loss_weight'),
    (dict(task_head='mlp'), 'task_head'),
    (dict(task_init='zeros'), 'task_init'),
])
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        build(**kwargs)


def test_unpooled_features_are_refused():
    head = build(primary=dict(
        type='gssl_mm.CosineClsHead', num_classes=4, in_channels=D))
    with pytest.raises(ValueError, match='GlobalAveragePooling'):
        head((torch.randn(N, D, 4, 4), ))


def test_state_dict_round_trip():
    first, second = build(GATES[2], 'cosine'), build(GATES[2], 'cosine')
    second.load_state_dict(first.state_dict())
    feats, samples = (torch.randn(N, D), ), batch()[0]
    one, two = first.loss(feats, samples), second.loss(feats, samples)
    assert all(torch.equal(one[k], two[k]) for k in one)


def test_cosine_head_scales_cosines():
    head = CosineClsHead(num_classes=4, in_channels=D, scale=30)
    feats = torch.randn(N, D)
    logits = head((feats, ))
    for i in range(N):
        for k in range(4):
            x, w = feats[i], head.fc.weight[k]
            cosine = x @ w / (x.norm() * w.norm())
            assert torch.allclose(logits[i, k], 30 * cosine, atol=1e-5)
    assert torch.allclose(head.fc.weight.norm(dim=1), torch.ones(4))
    assert head((torch.zeros(1, D), )).eq(0).all()
    assert CosineLinear(D, 3)(feats).abs().max() <= 1 + 1e-6
    with pytest.raises(ValueError, match='positive'):
        CosineClsHead(num_classes=4, in_channels=D, scale=0)
