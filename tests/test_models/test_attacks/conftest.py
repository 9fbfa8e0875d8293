"""A small smooth network and a batch of pixels."""
import pytest
import torch
from torch import nn


@pytest.fixture
def net():
    """Float64, so that values can be compared to the last digits."""
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.Tanh(),
        nn.Flatten(), nn.Linear(8 * 9, 5)).double().eval()


@pytest.fixture
def images():
    return torch.rand(6, 3, 8, 8, dtype=torch.float64)


@pytest.fixture
def labels():
    return torch.tensor([0, 1, 2, 3, 4, 0])
