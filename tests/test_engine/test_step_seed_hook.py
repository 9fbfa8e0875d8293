"""Random states follow from (seed, iteration, process)."""
import random

import numpy as np
import pytest
import torch

from gssl_mm.datasets import sample_random
from gssl_mm.engine import StepSeedHook
from gssl_mm.engine.hooks import step_seed_hook
from gssl_mm.engine.hooks.step_seed_hook import seed_global_generators


def draw():
    return random.random(), np.random.rand(), torch.rand(1).item()


def test_every_generator_is_seeded():
    seed_global_generators(0, 5, 0, 'step')
    first = draw()
    assert draw() != first
    seed_global_generators(0, 5, 0, 'step')
    assert draw() == first
    for other in ((1, 5, 0, 'step'), (0, 6, 0, 'step'), (0, 5, 1, 'step'),
                  (0, 5, 0, 'fetch')):
        seed_global_generators(*other)
        assert all(a != b for a, b in zip(draw(), first, strict=True))


class FakeRunner:
    """What the hook needs of a runner."""

    train_loop, epoch = None, 0

    def __init__(self, seed, iteration, **randomness):
        self.seed, self.iter = seed, iteration
        self._randomness_cfg = randomness


def test_step_and_fetch_do_not_shift_each_other(toy_runner):
    runner = toy_runner()
    hook = next(h for h in runner.hooks if type(h).__name__ == 'StepSeedHook')
    fake = FakeRunner(3, 7)
    hook.before_train_iter(fake, 0)
    step = draw()
    hook.after_train_iter(fake, 0)
    fetch = draw()
    draw()
    fake.iter = 7
    hook.before_train_iter(fake, 0)
    assert draw() == step
    hook.after_train_iter(fake, 0)
    assert draw() == fetch != step


def test_epoch_and_sampler_seed(toy_runner):
    runner = toy_runner(**{'train_cfg.max_epochs': 3})
    seen = []

    from mmengine.hooks import Hook

    class Spy(Hook):

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            seen.append((runner.epoch, sample_random.get_epoch()))

    runner.register_hook(Spy(), 'LOWEST')
    runner.train_dataloader.sampler.seed = 99
    runner.train()
    assert set(seen) == {(0, 0), (1, 1), (2, 2)}
    # A seed that a resumed checkpoint brings must reach the sampler.
    assert runner.train_dataloader.sampler.seed == runner.seed == 3
    assert runner.message_hub.get_info('seed') == 3


def test_a_sampler_keeps_the_seed_of_its_config(toy_runner):
    runner = toy_runner(**{'train_dataloader.sampler.seed': 77})
    StepSeedHook().before_train(runner)
    assert runner.train_dataloader.sampler.seed == 77


def test_processes_share_a_seed_that_the_host_makes_different(toy_runner):
    runner = toy_runner(randomness=dict(seed=3, diff_rank_seed=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step_seed_hook, 'get_rank', lambda: 2)
        StepSeedHook().before_train(runner)
    assert runner.message_hub.get_info('seed') == runner.seed - 2


def test_a_pass_of_an_iteration_based_loop_is_an_epoch(toy_runner):
    runner = toy_runner('toy_iter_config.py')
    seen = []

    from mmengine.hooks import Hook

    class Spy(Hook):

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            seen.append(sample_random.get_epoch())

    runner.register_hook(Spy(), 'LOWEST')
    runner.train()
    assert seen == [i // 5 for i in range(20)]
