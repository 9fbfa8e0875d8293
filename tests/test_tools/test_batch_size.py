import pytest
from mmengine.config import Config

from gssl_mm.tooling.batch_size import apply_total_batch_size, divide
from gssl_mm.tooling.errors import BatchSizeError


def make(total=128, counts=None):
    cfg = Config(dict(
        total_batch_size=total, train_dataloader=dict(batch_size=7),
        optim_wrapper=dict(type='OptimWrapper'),
        auto_scale_lr=dict(base_batch_size=128)))
    if counts:
        cfg.optim_wrapper.accumulative_counts = counts
    return cfg


@pytest.mark.parametrize('processes, counts, expected', [
    (1, 1, 128), (8, 1, 16), (2, 4, 16), (128, 1, 1)])
def test_division(processes, counts, expected):
    cfg = make(counts=counts)
    plan = apply_total_batch_size(cfg, processes)
    assert cfg.train_dataloader.batch_size == plan.per_process == expected
    assert plan.per_process * processes * counts == plan.total == 128
    for number in (128, expected, processes, counts):
        assert str(number) in str(plan)


def test_the_host_scales_the_rate_by_the_whole_step():
    cfg = make(total=256, counts=4)
    apply_total_batch_size(cfg, 2)
    seen_by_host = 2 * cfg.train_dataloader.batch_size
    assert seen_by_host / cfg.auto_scale_lr.base_batch_size == 256 / 128


def test_what_does_not_divide_is_refused():
    with pytest.raises(BatchSizeError, match='Use 1, 2, 4, 8') as error:
        divide(128, 3)
    assert 'total_batch_size=128' in str(error.value)
    with pytest.raises(BatchSizeError, match='accumulative_counts=3'):
        divide(128, 1, 3)


@pytest.mark.parametrize('total', [0, -8, 12.5, True, 'many'])
def test_a_total_that_is_no_count_is_refused(total):
    with pytest.raises(BatchSizeError, match='total_batch_size'):
        divide(total, 1)


def test_an_override_of_the_loader_wins():
    cfg = make()
    options = {'train_dataloader.batch_size': 5}
    assert apply_total_batch_size(cfg, 2, options).total == 10
    assert cfg.train_dataloader.batch_size == 5 and cfg.total_batch_size == 10


def test_overrides_that_disagree_are_refused():
    options = {'train_dataloader.batch_size': 5, 'total_batch_size': 12}
    with pytest.raises(BatchSizeError, match='disagree'):
        apply_total_batch_size(make(12), 2, options)
    options['total_batch_size'] = 10
    assert apply_total_batch_size(make(10), 2, options).per_process == 5


def test_without_a_total_nothing_changes():
    cfg = make()
    cfg.pop('total_batch_size')
    assert apply_total_batch_size(cfg, 2) is None
    assert cfg.train_dataloader.batch_size == 7
