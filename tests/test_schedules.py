"""Learning rates of the recipes, epoch by epoch, against their formulas."""
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'


def rates(name):
    """Learning rate of each epoch (0-based) as the config sets it."""
    cfg = Config.fromfile(CONFIGS / name)
    optimizer = torch.optim.SGD(
        [torch.nn.Parameter(torch.zeros(1))], cfg.optim_wrapper.optimizer.lr)
    schedulers = [PARAM_SCHEDULERS.build(dict(s, optimizer=optimizer))
                  for s in cfg.param_scheduler]
    seen = []
    for _ in range(cfg.train_cfg.max_epochs):
        seen.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return seen


def long_tailed(epoch, warmup=5, first=160, second=180):
    """Spec B.6 with E = e + 1; 0.01 at each decay."""
    number = epoch + 1
    if number <= warmup:
        return 0.1 * number / warmup
    if number <= first:
        return 0.1
    return 0.001 if number <= second else 1e-5


@pytest.mark.parametrize('name, epochs', [
    ('gssl/resnet32_cifar100lt.py', 300),
    ('gssl/resnet32_cifar10lt-r0.02.py', 300),
    ('gssl/resnet32-ldamdrw_cifar10lt.py', 200),
    ('gssl/resnet32-lorot_cifar100lt.py', 200),
])
def test_long_tailed_recipe(name, epochs):
    seen = rates(name)
    assert len(seen) == epochs
    for epoch, rate in enumerate(seen):
        assert rate == pytest.approx(long_tailed(epoch), rel=1e-6), epoch


@pytest.mark.parametrize('name', [
    str(path.relative_to(CONFIGS)) for path in sorted(
        CONFIGS.glob('*/*_cifar10lt-40e.py')) if 'recipe' not in path.name])
def test_shortened_recipes_move_the_decays_alone(name):
    seen = rates(name)
    assert len(seen) == 40
    for epoch, rate in enumerate(seen):
        expected = long_tailed(epoch, first=32, second=36)
        assert rate == pytest.approx(expected, rel=1e-6), epoch
    assert Config.fromfile(CONFIGS / name).custom_hooks[0].drw_epoch == 32


def test_optimiser_of_the_long_tailed_recipe():
    cfg = Config.fromfile(CONFIGS / 'gssl/resnet32_cifar100lt.py')
    assert cfg.optim_wrapper.optimizer.to_dict() == dict(
        type='SGD', lr=0.1, momentum=0.9, weight_decay=2e-4)
    assert cfg.total_batch_size == 128
    assert cfg.custom_hooks[0].drw_epoch == 160
