"""Runs that the contract tests of several components share."""
import copy

import torch
from mmengine.config import Config
from mmengine.runner import Runner


def shapes_loader(split, each, batch, **wrapper):
    """Loader of built-in images; ``wrapper`` is a dataset around them."""
    data = dict(type='gssl_mm.SyntheticShapes', num_per_class=each, split=split,
                image_size=16, pipeline=[dict(type='PackInputs')])
    return dict(
        batch_size=batch, num_workers=0,
        dataset=dict(wrapper, dataset=data) if wrapper else data,
        sampler=dict(type='DefaultSampler', shuffle=split == 'train'))


def contract_config(work_dir, parts, **changes):
    """Config of two epochs.

    Args:
        work_dir (Path): Where the run works; its name is that of the run too.
        parts (dict): Model, loaders, optimizer: what the component is about.
        **changes: Merged into the whole.
    """
    cfg = Config(dict(
        default_scope='mmpretrain', work_dir=str(work_dir), log_level='ERROR',
        experiment_name=work_dir.name, randomness=dict(seed=0),
        val_evaluator=dict(type='Accuracy'),
        train_cfg=dict(by_epoch=True, max_epochs=2), val_cfg=dict(),
        default_hooks=dict(
            runtime_info=dict(type='gssl_mm.RuntimeInfoHook'),
            step_seed=dict(type='gssl_mm.StepSeedHook'),
            checkpoint=dict(type='gssl_mm.CheckpointHook')),
        **copy.deepcopy(parts)))
    cfg.merge_from_dict(changes)
    return cfg


def train(cfg):
    """Train and return the runner, whose weights are finite."""
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert all(v.isfinite().all() for v in runner.model.state_dict().values())
    return runner


def losses(runner):
    """The loss of every iteration."""
    return torch.as_tensor(
        runner.message_hub.get_scalar('train/loss').data[0])


def check_resumed(cfg, plain):
    """Train an epoch, resume, and compare with the uninterrupted run."""
    half = copy.deepcopy(cfg)
    half.train_cfg.max_epochs = 1
    train(half)
    resumed = train(Config(dict(
        cfg, resume=True, experiment_name='rest',
        load_from=f'{cfg.work_dir}/epoch_1.pth')))
    assert resumed.iter == plain.iter == 2 * len(plain.train_dataloader)
    for key, value in plain.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[key]), key
