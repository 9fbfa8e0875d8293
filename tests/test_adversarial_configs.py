"""Recipes of adversarial training: their switches, schedule, and two steps."""
import copy
import json
import math
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS
from mmengine.runner import Runner
from mmpretrain.registry import MODELS

from gssl_mm.models.attacks import PGD
from gssl_mm.registry import TASK_UTILS

ROOT = Path(__file__).resolve().parents[1] / 'configs' / 'adversarial'
NAMES = sorted(path.stem for path in ROOT.glob('*.py'))
FAMILIES = ['wrn40-2_cifar10', 'wrn40-2-pgd10-gssl_cifar10',
            'wrn40-2-pgd10-rotations_cifar10', 'wrn40-2-trades_cifar10']
OTHERS = [n for n in NAMES if n not in FAMILIES and 'autoattack' not in n]
TASKS = {'pgd10': [], 'pgd10-lorot': ['lorot'],
         'pgd10-rotations': ['rotation'],
         'pgd10-lorot-flip': ['lorot', 'flip'],
         'pgd10-lorot-perm': ['lorot', 'perm'],
         'pgd10-nogate': ['lorot', 'flip', 'perm'],
         'pgd10-gssl': ['lorot', 'flip', 'perm'],
         'pgd10-learnedgate': ['lorot', 'flip', 'perm']}


def load(name):
    return Config.fromfile(ROOT / f'{name}.py')


@pytest.mark.parametrize('row', TASKS)
def test_rows_of_table_2(row):
    cfg = load(f'wrn40-2-{row}_cifar10')
    assert cfg.model.attack.to_dict() == dict(
        type='gssl_mm.PGD', eps=8 / 255, step_size=2 / 225, num_steps=10,
        center='noised')
    assert cfg.model.attack_bn == 'train'
    assert cfg.train_cfg.max_epochs == (100 if 'rotations' in row else 200)
    assert cfg.total_batch_size == 128
    assert cfg.optim_wrapper.optimizer.to_dict() == dict(
        type='SGD', lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    model = MODELS.build(cfg.model)
    names = list(getattr(model.head, 'num_task_classes', {}))
    assert names == TASKS[row]
    images = torch.rand(1, 3, 32, 32)
    assert model.eval()(images).shape == (1, 10)
    pretext = model.data_preprocessor.pretext
    if 'rotations' in row or row == 'pgd10':
        assert pretext is None
    else:
        assert pretext.task_names == names
        assert all(getattr(t, 'axis', 'horizontal') == 'horizontal'
                   for t in pretext.tasks)
    gate = getattr(model.head, 'gate', None)
    if 'nogate' in row:
        assert gate.weights.tolist() == [1., 1., 1.]
    elif len(names) > 1:
        learned = 'learnedgate' in row
        assert gate.reduce == 'prob_mean'
        assert gate.fc.weight.requires_grad == learned
    if names:
        assert model.head.loss_weight == (0.5 if 'rot' == row[6:9] else 0.1)
        assert model.attack_ssl == 0.1


def test_network_of_table_2():
    model = MODELS.build(load('wrn40-2-pgd10_cifar10').model)
    model.init_weights()
    assert sum(p.numel() for p in model.parameters()) == 2243546
    seen = []
    model.backbone.register_forward_pre_hook(
        lambda module, args: seen.append(args[0]))
    images = torch.rand(1, 3, 32, 32)
    model.eval()(images)
    assert torch.allclose(seen[0], 2 * images - 1, atol=1e-6)


@pytest.mark.parametrize('name, channels', [
    ('wrn40-2-pgd10_cifar10', 128), ('wrn10-1-pgd10_cifar10-15e', 64)])
def test_the_classifier_starts_as_one_of_pytorch_without_bias(name, channels):
    head = MODELS.build(load(name).model.head)
    head.init_weights()
    weight = head.fc.weight.detach()
    bound = 1 / math.sqrt(channels)
    assert 0.95 * bound < weight.abs().max() <= bound
    assert float(weight.std()) == pytest.approx(bound / math.sqrt(3), rel=0.1)
    assert not head.fc.bias.any()


@pytest.mark.parametrize('row', ['pgd10', 'pgd10-lorot', 'pgd10-gssl'])
def test_the_correct_ball_is_one_switch(row):
    ball, base = load(f'wrn40-2-{row}_cifar10-ball'), load(
        f'wrn40-2-{row}_cifar10')
    attack = TASK_UTILS.build(ball.model.attack)
    assert (attack.center, attack.step_size) == ('clean', 2 / 255)
    assert (attack.eps, attack.num_steps) == (8 / 255, 10)
    ball.model.attack = base.model.attack
    assert ball.model == base.model


@pytest.mark.parametrize('name', NAMES)
def test_every_test_reports_both_protocols(name):
    attacks = load(name).test_cfg.attacks
    for steps, size in ((20, 2 / 255), (100, 0.3 / 255)):
        for suffix, center in (('', 'clean'), ('-noised', 'noised')):
            attack = TASK_UTILS.build(attacks[f'pgd{steps}{suffix}'])
            assert isinstance(attack, PGD)
            assert (attack.eps, attack.step_size, attack.num_steps,
                    attack.center, attack.restarts, attack.loss) == (
                        8 / 255, size, steps, center, 1, 'ce')


def test_learning_rates_of_all_updates():
    """lr(s) = 0.1 [1e-5 + (1 - 1e-5) (1 + cos(pi s / S)) / 2], s from 1."""
    cfg = load('wrn40-2-pgd10_cifar10')
    total = 3 * 391
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))],
                                cfg.optim_wrapper.optimizer.lr)
    scheduler = PARAM_SCHEDULERS.build(dict(
        cfg.param_scheduler[0], end=total, optimizer=optimizer))
    for s in range(1, total + 1):
        expected = 0.1 * (1e-5 + (1 - 1e-5) * 0.5 * (
            1 + math.cos(math.pi * s / total)))
        assert optimizer.param_groups[0]['lr'] == pytest.approx(
            expected, rel=1e-12), s
        optimizer.step()
        state = copy.deepcopy(scheduler.state_dict())
        scheduler.step()
        scheduler.load_state_dict(state)
        scheduler.step()
    assert optimizer.param_groups[0]['lr'] == pytest.approx(1e-6)


def shrink(cfg, work_dir):
    """A few channels, a dozen images, two updates, short attacks."""
    cfg.update(work_dir=str(work_dir), log_level='ERROR',
               experiment_name=work_dir.name)
    cfg.train_cfg.max_epochs = 1
    cfg.model.backbone.update(depth=10, widen_factor=1)
    cfg.model.head.in_channels = 64
    if 'primary' in cfg.model.head:
        cfg.model.head.primary.in_channels = 64
    if cfg.model.attack:
        cfg.model.attack.num_steps = min(cfg.model.attack.num_steps, 2)
    cfg.test_cfg.attacks = {
        name: dict(attack, num_steps=1)
        for name, attack in cfg.test_cfg.attacks.items() if 'pgd' in name}
    cfg.test_cfg.max_samples = None
    for part in ('train', 'val', 'test'):
        cfg[f'{part}_dataloader'].update(
            num_workers=0, persistent_workers=False, batch_size=6,
            dataset=dict(
                type='gssl_mm.SyntheticShapes', num_per_class=2, indices=12,
                split='train', image_size=16,
                pipeline=[dict(type='PackInputs')]))
    return cfg


def run_two_updates(name, tmp_path):
    runner = Runner.from_cfg(shrink(load(name), tmp_path / name))
    before = copy.deepcopy(runner.model.state_dict())
    runner.train()
    assert runner.iter == 2
    for key, param in runner.model.named_parameters():
        moved = not torch.equal(before[key], runner.model.state_dict()[key])
        assert moved == param.requires_grad, key
    assert (tmp_path / name / 'result.json').is_file()
    metrics = runner.test()
    assert {'accuracy/top1', 'pgd20/top1', 'pgd100-noised/top1',
            'worst_case/top1'} <= metrics.keys()


@pytest.mark.parametrize('name', FAMILIES)
def test_one_of_each_family_trains_and_is_attacked(name, tmp_path):
    run_two_updates(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize('name', OTHERS)
def test_every_recipe_trains_and_is_attacked(name, tmp_path):
    run_two_updates(name, tmp_path)


def test_the_test_tool_reports_both_protocols(tmp_path):
    from gssl_mm.tooling.test import main
    cfg = shrink(load('wrn40-2-pgd10-gssl_cifar10'), tmp_path / 'run')
    cfg.dump(tmp_path / 'recipe.py')
    model = MODELS.build(cfg.model)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'weights.pth')
    out = tmp_path / 'metrics.json'
    main([str(tmp_path / 'recipe.py'), str(tmp_path / 'weights.pth'),
          '--work-dir', str(tmp_path / 'test'), '--out', str(out),
          '--out-item', 'metrics', '--cfg-options',
          'test_cfg.attacks.more.type=gssl_mm.PGD',
          'test_cfg.attacks.more.num_steps=1'])
    metrics = json.loads(out.read_text())
    assert {'clean/top1', 'pgd20/top1', 'pgd20-noised/top1', 'pgd100/top1',
            'pgd100-noised/top1', 'more/top1'} <= metrics.keys()
    summary = json.loads(
        (tmp_path / 'test' / 'robustness' / 'summary.json').read_text())
    assert summary['attacks']['pgd20']['max_linf'] <= 8 / 255 + 1e-6
