"""An endless stream that starts anywhere."""
from collections import Counter
from itertools import islice

import pytest
import torch

from gssl_mm.datasets.samplers import StreamSampler, stream
from gssl_mm.registry import DATA_SAMPLERS
from gssl_mm.seeding import stable_seed


def take(sampler, number):
    return list(islice(iter(sampler), number))


def test_permutations_one_after_another():
    got = take(StreamSampler(range(7), seed=3), 21)
    for number in range(3):
        generator = torch.Generator().manual_seed(
            stable_seed(3, 'labeled', number))
        assert got[7 * number:7 * number + 7] == torch.randperm(
            7, generator=generator).tolist()
    assert Counter(got) == dict.fromkeys(range(7), 3)


def test_skipping_equals_reading():
    whole = take(StreamSampler(range(7), seed=0), 60)
    for start in (0, 1, 6, 7, 8, 23, 49):
        sampler = StreamSampler(range(7), seed=0)
        sampler.skip(start)
        assert take(sampler, 11) == whole[start:start + 11]
    with pytest.raises(ValueError, match='at least 0, got -1'):
        sampler.skip(-1)


@pytest.mark.parametrize('size, world_size', [
    (7, 2), (6, 2), (3, 4), (1, 3), (50, 3)])
def test_processes_share_one_stream(monkeypatch, size, world_size):
    whole = take(StreamSampler(range(size), seed=0), 20 * world_size)
    for rank in range(world_size):
        monkeypatch.setattr(
            stream, 'get_dist_info', lambda r=rank: (r, world_size))
        sampler = StreamSampler(range(size), seed=0)
        assert take(sampler, 20) == whole[rank::world_size]
        sampler.skip(9)
        assert take(sampler, 11) == whole[rank::world_size][9:]


def test_a_pass_is_as_long_on_several_processes(monkeypatch):
    for world_size, length in ((1, 50), (2, 25), (3, 17)):
        monkeypatch.setattr(
            stream, 'get_dist_info', lambda w=world_size: (0, w))
        assert len(StreamSampler(range(50), seed=0)) == length


def test_seeds_and_streams_are_unrelated():
    base = take(StreamSampler(range(50), seed=0), 50)
    for other in (dict(seed=1), dict(seed=0, stream='unlabeled')):
        assert take(StreamSampler(range(50), **other), 50) != base
    # The seed may be set until iterating, as StepSeedHook does
    sampler = StreamSampler(range(50), seed=1)
    sampler.seed = 0
    assert take(sampler, 50) == base


def test_as_a_sampler_of_the_host():
    sampler = DATA_SAMPLERS.build(dict(
        type='gssl_mm.StreamSampler', dataset=range(7)))
    assert len(sampler) == 7
    sampler.set_epoch(3)
    loader = torch.utils.data.DataLoader(range(7), 4, sampler=sampler)
    assert [len(batch) for batch in islice(loader, 5)] == [4] * 5
    with pytest.raises(ValueError, match='no sample'):
        StreamSampler([])
