"""Training on attacked batches, against the formulas of the papers."""
import copy

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper
from mmpretrain.models import ImageClassifier

from gssl_mm.engine.optimizers import AmpOptimWrapper
from gssl_mm.models.attacks import (
    LogitsShapeError,
    NonFiniteGradientError,
    PixelSpaceError,
)
from gssl_mm.models.utils import step_generator

EPS, STEP = 8 / 255, 2 / 255


@pytest.fixture(autouse=True)
def iteration():
    """A known iteration: the starts of an attack depend on it."""
    info = MessageHub.get_current_instance().runtime_info
    info.update(seed=0, iter=7)
    yield
    info.pop('iter')


def starts(shape, scale=EPS):
    noise = torch.rand(shape, generator=step_generator('attack'))
    return (2 * noise - 1) * scale


def naive_attack(objective, images, noise, num_steps=3, center='clean',
                 step=STEP):
    """PGD by hand; ``objective`` gives the scalar J."""
    x = images + noise
    middle = images if center == 'clean' else x
    for _ in range(num_steps):
        x = x.detach().requires_grad_()
        grad, = torch.autograd.grad(objective(x), x)
        x = x.detach() + step * grad.sign()
        x = x.clamp(middle - EPS, middle + EPS).clamp(0, 1)
    return x


def naive_logits(model, x):
    """Normalised pixels through backbone, pooling and a linear layer."""
    feat = model.backbone((x - 0.5) / 0.5)[0].mean((2, 3))
    primary = getattr(model.head, 'primary', model.head)
    return feat @ primary.fc.weight.T + primary.fc.bias, feat


def attacked(model, data):
    """What reaches the head's loss, by a spy on the backbone's input."""
    seen = []
    handle = model.backbone.register_forward_pre_hook(
        lambda module, args: seen.append((args[0] / 2 + 0.5).detach()))
    losses = model(**data, mode='loss')
    handle.remove()
    return seen[-1], losses, len(seen)


@pytest.mark.parametrize('center', ['clean', 'noised'])
def test_plain_head_ascends_the_cross_entropy(build, batch, center):
    model = build(attack=dict(type='gssl_mm.PGD', num_steps=3, center=center))
    twin = copy.deepcopy(model)
    data = model.data_preprocessor(batch(), True)
    clean = data['inputs'].clone()
    labels = torch.arange(8) % 4

    def j(x):
        return torch.nn.functional.cross_entropy(
            naive_logits(twin, x)[0], labels, reduction='sum')

    want = naive_attack(j, clean, starts(clean.shape), center=center)
    found, losses, passes = attacked(model, data)
    assert torch.allclose(found, want, atol=1e-6)
    assert torch.allclose(losses['loss'], j(want) / 8, atol=1e-5)
    assert torch.equal(data['inputs'], clean)
    assert passes == 4


REDUCES = ('prob_mean', 'logit_mean', 'per_sample')


def naive_gate(model, feat, reduce):
    logits = feat @ model.head.gate.fc.weight.T + model.head.gate.fc.bias
    if reduce == 'prob_mean':
        return logits.softmax(1).mean(0).expand(len(feat), -1)
    if reduce == 'logit_mean':
        return logits.mean(0).softmax(0).expand(len(feat), -1)
    return logits.softmax(1)


@pytest.mark.parametrize('reduce', REDUCES)
@pytest.mark.parametrize('grad', ['learned', 'detached'])
@pytest.mark.parametrize('weight', [True, 0.7, False])
def test_gated_head_ascends_cls_plus_gated_pretext(build, gated, batch, reduce,
                                                   grad, weight):
    head = gated(loss_weight=0.3, gate=dict(
        type='gssl_mm.SoftmaxGate', reduce=reduce, grad=grad))
    model = build(head, tasks=head['tasks'], attack_ssl=weight)
    twin = copy.deepcopy(model)
    data = model.data_preprocessor(batch(), True)
    labels = torch.arange(8) % 4
    pretext = torch.stack([s.pretext_labels for s in data['data_samples']])
    ce = torch.nn.functional.cross_entropy
    w = {True: 0.1, 0.7: 0.7, False: 0.}[weight]

    def j(x):
        logits, feat = naive_logits(twin, x)
        gate = naive_gate(twin, feat, reduce).detach()
        total = ce(logits, labels, reduction='sum')
        for n, task in enumerate(twin.head.task_heads.values()):
            each = ce(feat @ task.weight.T + task.bias, pretext[:, n],
                      reduction='none')
            total = total + w * (gate[:, n] * each).sum()
        return total

    want = naive_attack(j, data['inputs'], starts(data['inputs'].shape))
    found, losses, _ = attacked(model, data)
    assert torch.allclose(found, want, atol=1e-6)
    assert {'loss_cls', 'loss_lorot', 'gate_perm'} <= losses.keys()


def test_non_gated_weights_are_one(build, gated, batch):
    model = build(gated(gate=None), tasks=gated()['tasks'], attack_ssl=1)
    data = model.data_preprocessor(batch(), True)
    feats = model.extract_feat(data['inputs'])
    losses = model.head.loss(feats, data['data_samples'])
    total = model.head.pretext_objective(
        data['data_samples'], feats[0].device)(feats).mean()
    want = sum(losses[f'ce_{t}'] for t in ('lorot', 'flip', 'perm'))
    assert torch.allclose(total, want)


COSINE = dict(type='gssl_mm.CosineClsHead', num_classes=4, in_channels=6)
JOINT = dict(type='gssl_mm.JointLabelHead', num_classes=4, in_channels=6,
             inference='aggregated')


@pytest.mark.parametrize('primary', [COSINE, JOINT])
@pytest.mark.parametrize('pretext', [True, False])
def test_feature_masks_are_attacked_through(build, gated, batch, primary,
                                            pretext):
    model = build(gated(primary=primary) if pretext else primary,
                  tasks=gated()['tasks'] if pretext else (),
                  neck=dict(type='gssl_mm.FeatureMaskNeck'))
    data = model.data_preprocessor(batch(), True)
    found, losses, _ = attacked(model, data)
    moved = (found - data['inputs']).abs()
    assert STEP < moved.max() <= EPS + 1e-6
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    assert model.backbone[0].weight.grad.abs().max() > 0


@pytest.mark.parametrize('mode, passes', [('train', 4), ('eval', 1)])
def test_running_statistics_move_as_said(build, batch, mode, passes):
    model = build(attack_bn=mode)
    model.backbone[2].eval()
    modes = [m.training for m in model.modules()]
    model(**model.data_preprocessor(batch(), True), mode='loss')
    assert model.backbone[1].num_batches_tracked == passes
    assert [m.training for m in model.modules()] == modes
    assert all(p.requires_grad for p in model.parameters())


def test_eval_mode_attack_uses_running_statistics(build, batch):
    model = build(attack_bn='eval')
    model.backbone[1].running_mean += 0.3
    twin = copy.deepcopy(model).eval()
    data = model.data_preprocessor(batch(), True)
    labels = torch.arange(8) % 4

    def j(x):
        return torch.nn.functional.cross_entropy(
            naive_logits(twin, x)[0], labels, reduction='sum')

    want = naive_attack(j, data['inputs'], starts(data['inputs'].shape))
    assert torch.allclose(attacked(model, data)[0], want, atol=1e-6)


def test_flags_come_back_after_an_error(build, batch):
    model = build()
    model.backbone[0].bias.requires_grad_(False)
    data = model.data_preprocessor(batch(), True)
    model.backbone[0].weight.data[0, 0, 0, 0] = torch.nan
    with pytest.raises(NonFiniteGradientError):
        model(**data, mode='loss')
    assert model.training and model.backbone[1].training
    assert [n for n, p in model.named_parameters() if not p.requires_grad] == [
        'backbone.0.bias']


def test_weights_get_the_gradient_of_the_attacked_batch_alone(build, batch):
    model = build()
    twin = copy.deepcopy(model)
    data = model.data_preprocessor(batch(), True)
    found, losses, _ = attacked(model, data)
    losses['loss'].backward()
    naive = torch.nn.functional.cross_entropy(
        naive_logits(twin, found)[0], torch.arange(8) % 4)
    naive.backward()
    for (name, a), b in zip(model.named_parameters(), twin.parameters(),
                            strict=True):
        assert torch.allclose(a.grad, b.grad, atol=1e-6), name


def test_without_an_attack_it_is_a_model_of_pixels(build, batch):
    model = build(attack=None)
    found, _, passes = attacked(model, model.data_preprocessor(batch(), True))
    assert passes == 1
    assert torch.allclose(found, batch()['inputs'].float() / 255, atol=1e-6)


def test_forward_predict_and_tensor_normalise_alike(build, batch):
    model = build().eval()
    data = model.data_preprocessor(batch(), False)
    logits = model(data['inputs'], mode='tensor')
    want, _ = naive_logits(model, data['inputs'])
    assert torch.allclose(logits, want, atol=1e-6)
    out = model(**data, mode='predict')
    assert torch.allclose(torch.stack([s.pred_score for s in out]),
                          want.softmax(1), atol=1e-6)


def test_the_state_is_that_of_an_ordinary_classifier(build):
    model = build()
    assert {k.split('.')[0] for k in model.state_dict()} == {
        'backbone', 'head'}
    assert type(model).forward is ImageClassifier.forward
    model.load_state_dict(build().state_dict())


def test_a_training_step_in_bfloat16(build, gated, batch):
    results = []
    for wrapper in (OptimWrapper, AmpOptimWrapper):
        model = build(gated(), tasks=gated()['tasks'])
        optimizer = wrapper(optimizer=torch.optim.SGD(model.parameters(), 0.1))
        before = copy.deepcopy(model.state_dict())
        logs = model.train_step(batch(), optimizer)
        moved = {k for k, v in model.state_dict().items()
                 if not torch.equal(v, before[k])}
        assert {n for n, _ in model.named_parameters()} <= moved
        results.append(logs['loss'])
    assert torch.allclose(*results, rtol=0.02)
    assert results[0] != results[1]


def test_the_same_iteration_draws_the_same_start(build, batch):
    model = build()
    data = model.data_preprocessor(batch(), True)
    first = attacked(copy.deepcopy(model), data)[0]
    assert torch.equal(first, attacked(copy.deepcopy(model), data)[0])
    MessageHub.get_current_instance().runtime_info['iter'] = 8
    assert not torch.equal(first, attacked(copy.deepcopy(model), data)[0])


ROTATION = [dict(type='gssl_mm.GlobalRotation')]


@pytest.mark.parametrize('ssl', [True, False])
def test_rotation_auxiliary(build, gated, batch, ssl):
    head = gated(tasks=ROTATION, gate=None, loss_weight=0.5)
    model = build(head, 'RotationAuxiliaryClassifier', attack_ssl=ssl)
    twin = copy.deepcopy(model)
    data = model.data_preprocessor(batch(), True)
    clean, labels = data['inputs'], torch.arange(8) % 4
    views = torch.cat([clean] + [clean.rot90(k, (2, 3)) for k in range(4)])
    turns = torch.tensor([0, 1, 2, 3]).repeat_interleave(8)
    ce = torch.nn.functional.cross_entropy
    task = twin.head.task_heads['rotation']

    def parts(x, reduction):
        logits, feat = naive_logits(twin, x)
        rotation = feat[8:] @ task.weight.T + task.bias
        return (ce(logits[:8], labels, reduction=reduction),
                ce(rotation, turns, reduction=reduction))

    def j(x):
        cls, rot = parts(x, 'sum')
        return cls + (rot / 8 if ssl else 0 * rot)

    noise = starts((8, 5, 3, 8, 8)).transpose(0, 1).flatten(0, 1)
    want = naive_attack(j, views, noise)
    found, losses, passes = attacked(model, data)
    assert passes == 4
    assert torch.allclose(found, want, atol=1e-6)
    cls, rot = parts(found, 'mean')
    assert torch.allclose(losses['loss_cls'], cls, atol=1e-5)
    assert torch.allclose(losses['loss_rotation'], 0.5 * rot, atol=1e-5)
    with torch.no_grad():
        model.eval()
        assert model(clean).shape == (8, 4)


def test_rotation_auxiliary_needs_its_head(build, gated, batch):
    for head in (None, gated()):
        with pytest.raises(ValueError, match='GlobalRotation'):
            build(head, 'RotationAuxiliaryClassifier')
    model = build(gated(tasks=ROTATION, gate=None),
                  'RotationAuxiliaryClassifier')
    with pytest.raises(ValueError, match='square'):
        model.loss(torch.rand(2, 3, 8, 6), batch(2)['data_samples'])


def test_trades(build, batch):
    model = build(kind='TRADESClassifier', beta=3.)
    twin = copy.deepcopy(model)
    data = model.data_preprocessor(batch(), True)
    clean, labels = data['inputs'], torch.arange(8) % 4

    def kl(x, reference):
        p = reference.softmax(1)
        q = naive_logits(twin, x)[0].softmax(1)
        return (p * (p / q).log()).sum()

    twin.eval()
    reference = naive_logits(twin, clean)[0].detach()
    noise = 1e-3 * torch.randn(clean.shape, generator=step_generator('attack'))
    want = naive_attack(lambda x: kl(x, reference), clean, noise)
    found, losses, passes = attacked(model, data)
    assert passes == 6  # reference, three steps, clean and attacked
    assert model.backbone[1].num_batches_tracked == 2
    assert torch.allclose(found, want, atol=1e-6)
    twin.train()
    logits = naive_logits(twin, clean)[0]
    ce = torch.nn.functional.cross_entropy(logits, labels)
    divergence = kl(want, logits) / 8
    assert torch.allclose(losses['loss'], ce, atol=1e-5)
    assert torch.allclose(losses['loss_trades'], 3 * divergence, rtol=1e-4)
    (losses['loss'] + losses['loss_trades']).backward()
    (ce + 3 * divergence).backward()
    for a, b in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.allclose(a.grad, b.grad, atol=1e-5)


def test_trades_needs_an_attack(build):
    for change in (dict(attack=None), dict(beta=-1)):
        with pytest.raises(ValueError, match='TRADES needs'):
            build(kind='TRADESClassifier', **change)


def test_one_step_training_is_a_config(build, batch):
    step = 10 / 255
    model = build(attack=dict(type='gssl_mm.PGD', num_steps=1, step_size=step))
    twin = copy.deepcopy(model)
    data = model.data_preprocessor(batch(), True)

    def j(x):
        return torch.nn.functional.cross_entropy(
            naive_logits(twin, x)[0], torch.arange(8) % 4)

    want = naive_attack(j, data['inputs'], starts(data['inputs'].shape), 1,
                        step=step)
    assert torch.allclose(attacked(model, data)[0], want, atol=1e-6)


@pytest.mark.parametrize('change, error, message', [
    (dict(data_preprocessor=dict(mean=[120.] * 3, std=[60.] * 3)),
     PixelSpaceError, r'std=\[255, 255, 255\]'),
    (dict(data_preprocessor=None), PixelSpaceError, 'no mean and std'),
    (dict(attack_bn='batch'), ValueError, 'attack_bn'),
    (dict(attack_ssl=-1), ValueError, 'attack_ssl'),
    (dict(std=[0.5, 0.5, 0]), PixelSpaceError, 'a std above 0'),
    (dict(mean=[127.5] * 3), PixelSpaceError, 'by 255'),
    (dict(mean=[-0.1] * 3), PixelSpaceError, 'by 255'),
    (dict(std=[127.5] * 3), PixelSpaceError, 'by 255'),
    (dict(attack=dict(type='gssl_mm.PGD', restarts=2)), ValueError,
     'restarts=1'),
    (dict(attack=dict(type='gssl_mm.PGD', targeted=True)), ValueError,
     'untargeted'),
    (dict(attack=dict(type='gssl_mm.LocalFlip')), ValueError, 'untargeted'),
])
def test_bad_arguments_are_named(build, change, error, message):
    with pytest.raises(error, match=message):
        build(**change)


def test_a_head_without_logits_is_named(build, batch):
    model = build()
    model.head.forward = lambda feats: (feats[0], )
    with pytest.raises(LogitsShapeError, match='a tuple'):
        model(**model.data_preprocessor(batch(), True), mode='loss')
