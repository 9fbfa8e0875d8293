"""AutoAttack by the reference implementation, and other libraries' attacks."""
import importlib
import sys

import pytest
import torch
from torch import nn

from gssl_mm.models.attacks import (
    PGD,
    AttackDependencyError,
    AutoAttack,
    LogitsShapeError,
    PerturbationUnitsError,
    PixelModel,
)
from gssl_mm.registry import TASK_UTILS

needs = pytest.mark.skipif(
    importlib.util.find_spec('pyautoattack') is None,
    reason='the extra "robust" is not installed')


@pytest.fixture
def problem(net, images):
    net = net.float()
    images = images.float()
    return net, images, net(images).argmax(1)


@needs
def test_custom_version_breaks_what_pgd_breaks(problem):
    net, images, labels = problem
    state = torch.get_rng_state()
    net.train()
    attack = TASK_UTILS.build(dict(
        type='gssl_mm.AutoAttack', eps=0.05, version='custom',
        attacks=['apgd-ce']))
    found = attack(net, images, labels)
    assert net.training
    assert all(p.requires_grad for p in net.parameters())
    assert torch.equal(torch.get_rng_state(), state)
    assert (found - images).abs().max() <= 0.05 + 1e-6
    assert found.min() >= 0 and found.max() <= 1
    net.eval()
    broken = net(found).argmax(1) != labels
    pgd = net(PGD(0.05, 0.01, 20)(net, images, labels)).argmax(1) != labels
    assert broken.any() and (broken >= pgd).all()
    assert torch.equal(found, attack(net, images, labels))


@needs
@pytest.mark.slow
def test_standard_version_on_a_small_net(problem):
    net, images, labels = problem
    found = AutoAttack(eps=0.02)(net, images[:3], labels[:3])
    single = AutoAttack(eps=0.02, version='custom', attacks=['apgd-ce'])(
        net, images[:3], labels[:3])
    broken, alone = ((net(x).argmax(1) != labels[:3]) for x in (found, single))
    assert (broken >= alone).all()
    assert (found - images[:3]).abs().max() <= 0.02 + 1e-6


@needs
def test_it_tries_every_wrong_class(problem):
    net, images, labels = problem
    runner = AutoAttack()._build(net, images)
    assert runner.attacks_to_run == ['apgd-ce', 'apgd-t', 'fab-t', 'square']
    assert runner.apgd_targeted.n_target_classes == 4
    assert runner.fab.n_target_classes == 4
    assert (runner.apgd.n_iter, runner.square.n_queries) == (100, 5000)
    ten = nn.Sequential(nn.Flatten(), nn.Linear(192, 10))
    runner = AutoAttack()._build(ten, images)
    assert runner.apgd_targeted.n_target_classes == 9


@needs
@pytest.mark.parametrize('change, error, message', [
    (dict(eps=8), PerturbationUnitsError, '8 / 255'),
    (dict(norm='l1'), ValueError, 'norm'),
    (dict(version='custom'), ValueError, 'attacks are listed'),
    (dict(attacks=['square']), ValueError, 'attacks are listed'),
])
def test_bad_arguments_are_named(change, error, message):
    with pytest.raises(error, match=message):
        AutoAttack(**change)


@needs
def test_three_classes_are_too_few(problem):
    net, images, labels = problem
    with pytest.raises(LogitsShapeError, match='3 classes'):
        AutoAttack()(lambda x: net(x)[:, :3], images, labels % 3)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pyautoattack', None)
    with pytest.raises(AttackDependencyError, match=r'gssl_mm\[robust\]'):
        AutoAttack()


def test_torchattacks_takes_the_wrapper_and_agrees(tmp_path):
    torchattacks = pytest.importorskip('torchattacks')
    from mmpretrain.registry import MODELS
    model = PixelModel(MODELS.build(dict(
        type='ImageClassifier',
        backbone=dict(type='gssl_mm.CIFARResNet', depth=8),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=4, in_channels=64),
        data_preprocessor=dict(
            type='ClsDataPreprocessor', mean=[120.] * 3,
            std=[60.] * 3)))).double().eval()
    images = torch.rand(4, 3, 8, 8, dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 3])
    other = torchattacks.PGD(model, 8 / 255, 2 / 255, 7, random_start=False)
    ours = PGD(num_steps=7, random_start=False)(model, images, labels)
    theirs = other(images, labels)
    assert (ours - theirs).abs().max() < 1e-5
    assert (ours - images).abs().max() > 0.9 * 8 / 255
