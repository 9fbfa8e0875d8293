"""Random states that follow from the seed and the iteration alone."""
import random
from importlib import import_module, util

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dist import get_rank
from mmengine.hooks import Hook

from gssl_mm.registry import HOOKS
from gssl_mm.seeding import stable_seed

from ..loop_facts import passes

_SAMPLE_RANDOM = 'gssl_mm.datasets.sample_random'


def seed_global_generators(*parts: int | str) -> None:
    """Seed the generators of Python, numpy, torch and CUDA.

    Args:
        *parts (int | str): What the draws are for, see
            :func:`gssl_mm.seeding.stable_seed`.
    """
    seed = stable_seed(*parts)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    # torch.manual_seed would also queue work for devices that are not in use,
    # which takes a hundred times longer.
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)


def shared_seed(runner) -> int:
    """Seed that all processes share: the host may add the rank to it."""
    different = runner._randomness_cfg.get('diff_rank_seed', False)
    return int(runner.seed) - (get_rank() if different else 0)


def _sampler_seed(cfg) -> int | None:
    """The seed that a config gives its training sampler."""
    # What is built already is no config
    for key in ('train_dataloader', 'sampler'):
        cfg = cfg.get(key) if isinstance(cfg, dict | Config) else None
    return cfg.get('seed') if isinstance(cfg, dict) else None


@HOOKS.register_module()
class StepSeedHook(Hook):
    """Seed every global generator before each batch and before each step.

    A run that was killed continues as if it had not been: the state of no
    generator has to be saved, since each is a function of (seed, iteration,
    process). There are two points an iteration: before a batch is fetched
    (samples drawn in the main process, the base seed of the workers) and before
    the step itself (dropout, Mixup, whatever the model draws), so that the
    number of draws in one does not shift the other. Validation, which draws for
    its own loader, changes neither.

    Note:
        Persistent workers keep generators of their own, which no hook in the
        main process reaches. A transform that draws in a worker must take its
        generator from (seed, epoch, sample); this hook announces the epoch to
        ``gssl_mm.datasets.sample_random``. In an iteration-based loop an epoch
        is one pass over the loader; workers that fetch ahead from an endless
        sampler may give its first samples the draws of the pass before.

    Example:
        >>> custom_hooks = [dict(type='gssl_mm.StepSeedHook')]
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._sample_random = None
        if util.find_spec(_SAMPLE_RANDOM) is not None:
            self._sample_random = import_module(_SAMPLE_RANDOM)

    def before_train(self, runner) -> None:
        """Give sampler and loader the run's seed, which a checkpoint may set.

        A sampler whose config names a seed keeps it.

        A loader draws a number for its workers whenever its iterator is made,
        which an iteration-based run does once and a resumed one again: with a
        generator of its own that draw shifts no other.
        """
        loader, seed = runner.train_dataloader, shared_seed(runner)
        runner.message_hub.update_info('seed', seed)
        batches = getattr(loader, 'batch_sampler', None)
        if _sampler_seed(runner.cfg) is None:
            for sampler in (loader.sampler, getattr(batches, 'sampler', None)):
                if isinstance(getattr(sampler, 'seed', None), int):
                    sampler.seed = seed
        loader.generator = torch.Generator().manual_seed(
            stable_seed(seed, get_rank(), 'loader'))

    def before_train_epoch(self, runner) -> None:
        """Announce the epoch to the samples and seed its first batch."""
        self._announce(runner, runner.iter)
        self._seed(runner, runner.iter, 'fetch')

    def before_train_iter(self,
                          runner,
                          batch_idx: int,
                          data_batch=None) -> None:
        """Seed the step."""
        self._seed(runner, runner.iter, 'step')

    def after_train_iter(self,
                         runner,
                         batch_idx: int,
                         data_batch=None,
                         outputs=None) -> None:
        """Seed the next batch; it may begin a pass of an endless loop."""
        self._announce(runner, runner.iter + 1)
        self._seed(runner, runner.iter + 1, 'fetch')

    def after_val(self, runner) -> None:
        """Seed the batch after a validation inside training."""
        if runner.message_hub.get_info('loop_stage') is not None:
            self._seed(runner, runner.iter, 'fetch')

    def _announce(self, runner, iteration: int) -> None:
        if self._sample_random is not None:
            self._sample_random.set_epoch(passes(runner, iteration))

    def _seed(self, runner, iteration: int, use: str) -> None:
        seed_global_generators(
            shared_seed(runner), iteration, get_rank(), use)
