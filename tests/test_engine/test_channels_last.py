"""Memory order of the weights."""
import torch
from torch import nn

from gssl_mm.engine import convert_to_channels_last


def is_channels_last(tensor):
    return tensor.is_contiguous(memory_format=torch.channels_last)


def test_values_names_and_checkpoints_are_unchanged():
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    before = {k: v.clone() for k, v in model.state_dict().items()}
    parameters = list(model.parameters())
    assert convert_to_channels_last(model) is model
    assert all(a is b for a, b in zip(
        model.parameters(), parameters, strict=True))
    assert is_channels_last(model[0].weight)
    assert not model[0].weight.is_contiguous()
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key])
    model.load_state_dict(before)
    assert not model[0].weight.is_contiguous()


def test_hook_converts_before_training_and_testing(toy_runner):
    hooks = [dict(type='gssl_mm.ChannelsLastHook')]
    runner = toy_runner(custom_hooks=hooks, **{'train_cfg.max_epochs': 1})
    runner.train()
    for name in ('conv1', 'conv2'):
        weight = getattr(runner.model.backbone, name).weight
        assert is_channels_last(weight) and not weight.is_contiguous()
        state = runner.optim_wrapper.optimizer.state[weight]
        assert is_channels_last(state['momentum_buffer'])
