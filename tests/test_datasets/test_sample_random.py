import copy
import multiprocessing
import pickle

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from gssl_mm.datasets import sample_random
from gssl_mm.datasets.sample_random import (
    EpochHandle,
    get_epoch,
    sample_generator,
    set_epoch,
)
from gssl_mm.seeding import stable_seed


@pytest.fixture(autouse=True)
def epoch_zero():
    set_epoch(0)
    yield
    set_epoch(0)


class Draws(Dataset):

    def __init__(self):
        self.epoch = EpochHandle()

    def __len__(self):
        return 6

    def __getitem__(self, index):
        draw = torch.rand((), generator=sample_generator(3, index, 'x'))
        return torch.stack([torch.tensor(float(get_epoch())), draw])


def run(loader):
    return torch.cat(list(loader))


def test_generator_depends_on_all_parts():
    def draw(*args):
        return torch.rand(4, generator=sample_generator(*args)).tolist()

    first = draw(0, 1, 'crop')
    assert draw(0, 1, 'crop') == first
    assert draw(1, 1, 'crop') != first
    assert draw(0, 2, 'crop') != first
    assert draw(0, 1, 'flip') != first
    set_epoch(1)
    assert draw(0, 1, 'crop') != first
    generator = torch.Generator().manual_seed(stable_seed(0, 1, 1, 'crop'))
    assert torch.rand(4, generator=generator).tolist() == draw(0, 1, 'crop')


@pytest.mark.parametrize('persistent', [False, True])
def test_forked_workers_follow_the_epoch(persistent):
    loader = DataLoader(
        Draws(), 2, num_workers=2, persistent_workers=persistent)
    seen = []
    for epoch in (0, 1, 5):
        set_epoch(epoch)
        out = run(loader)
        assert torch.equal(out, run(DataLoader(Draws(), 2)))
        assert (out[:, 0] == epoch).all()
        seen.append(out[:, 1])
    assert not torch.equal(seen[0], seen[1])


@pytest.mark.slow
def test_spawned_process_joins_by_the_handle():
    context = multiprocessing.get_context('spawn')
    set_epoch(4)
    with context.Pool(1, initializer=repr, initargs=(EpochHandle(), )) as pool:
        assert pool.apply(get_epoch) == 4
        set_epoch(9)
        assert pool.apply(get_epoch) == 9


def test_handle_changes_nothing_in_its_own_process():
    before = sample_random._epoch
    handle = EpochHandle()
    assert isinstance(copy.deepcopy(handle), EpochHandle)
    assert isinstance(pickle.loads(pickle.dumps(handle)), EpochHandle)
    assert sample_random._epoch is before
    set_epoch(2)
    assert get_epoch() == 2
