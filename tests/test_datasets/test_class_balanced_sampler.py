import numpy as np
import pytest

from gssl_mm.datasets import SyntheticShapes
from gssl_mm.datasets.samplers import class_balanced
from gssl_mm.datasets.samplers.class_balanced import ClassBalancedSampler
from gssl_mm.registry import DATA_SAMPLERS


class Labels:
    """A dataset of labels alone."""

    def __init__(self, counts):
        self.labels = np.repeat(np.arange(len(counts)), counts)
        self.metainfo = dict(classes=list(range(len(counts))))

    def __len__(self):
        return len(self.labels)

    def get_gt_labels(self):
        return self.labels


@pytest.mark.parametrize('beta', [0, 0.9, 0.9999, 1])
def test_frequencies(beta):
    counts = np.array([1000, 100, 10, 1])
    sampler = ClassBalancedSampler(
        Labels(counts), beta, num_samples=200_000, seed=0)
    weight = 1 / counts if beta == 1 else (1 - beta) / (1 - beta**counts)
    expected = counts * weight / (counts * weight).sum()
    drawn = np.array(list(sampler))
    got = np.bincount(Labels(counts).labels[drawn], minlength=4) / 200_000
    np.testing.assert_allclose(
        got, expected, atol=5 * np.sqrt(.25 / 200_000))
    # Samples of one class are alike.
    first = np.bincount(drawn, minlength=1111)[:1000]
    assert first.std() < 2 * np.sqrt(first.mean()) + 1


def test_exact_probabilities():
    sampler = ClassBalancedSampler(Labels([3, 1]), 0.5, seed=0)
    # (1 - .5) / (1 - .5 ** 3) = 4 / 7 against 1.
    np.testing.assert_allclose(
        sampler.probabilities, np.array([4, 4, 4, 7]) / 19)


def test_seed_and_epoch_alone():
    dataset = Labels([30, 5, 2])
    sampler = ClassBalancedSampler(dataset, seed=4)
    first = list(sampler)
    assert list(sampler) == first and len(first) == len(sampler) == 37
    sampler.set_epoch(1)
    assert list(sampler) != first
    other = ClassBalancedSampler(dataset, seed=4)
    other.set_epoch(1)
    assert list(other) == list(sampler)
    assert list(ClassBalancedSampler(dataset, seed=5)) != first


@pytest.mark.parametrize('world', [1, 2, 3])
@pytest.mark.parametrize('round_up', [True, False])
def test_processes_take_slices_of_one_draw(monkeypatch, world, round_up):
    dataset = Labels([30, 5, 2])
    whole = list(ClassBalancedSampler(dataset, seed=4))
    parts = []
    for rank in range(world):
        monkeypatch.setattr(
            class_balanced, 'get_dist_info', lambda rank=rank: (rank, world))
        sampler = ClassBalancedSampler(dataset, seed=4, round_up=round_up)
        parts.append(list(sampler))
        assert len(parts[-1]) == len(sampler)
    if round_up:
        assert len({len(part) for part in parts}) == 1
    joined = [part[i] for i in range(len(parts[0])) for part in parts
              if i < len(part)]
    assert joined[:37] == whole
    assert joined[37:] == whole[:len(joined) - 37]
    assert len(joined) == (-(-37 // world) * world if round_up else 37)


def test_built_from_a_config():
    dataset = SyntheticShapes(num_per_class=2)
    sampler = DATA_SAMPLERS.build(
        dict(type='gssl_mm.ClassBalancedSampler'),
        default_args=dict(dataset=dataset, seed=0))
    assert set(sampler) <= set(range(20))


@pytest.mark.parametrize('beta', [-0.1, 1.1])
def test_bad_beta(beta):
    with pytest.raises(ValueError, match=r'beta lies in \[0, 1\]'):
        ClassBalancedSampler(Labels([1]), beta)


def test_empty_dataset():
    with pytest.raises(ValueError, match='no sample'):
        ClassBalancedSampler(Labels([0]))
