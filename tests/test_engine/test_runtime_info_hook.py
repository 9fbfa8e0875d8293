"""The message hub holds what the host's hook would have put there."""
import json

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook, LoggerHook
from mmengine.logging import HistoryBuffer, MessageHub

from gssl_mm.engine import NonFiniteLossError
from gssl_mm.engine.scalar_buffer import (
    ScalarBuffer,
    bound_histories,
    extend_history,
)
from gssl_mm.registry import HOOKS

TIMES = ('train/time', 'train/data_time', 'val/time', 'val/data_time')
OWN, HOST = 'gssl_mm.RuntimeInfoHook', 'RuntimeInfoHook'


def snapshot(hub):
    return {
        key: tuple(part.copy() for part in history.data)
        for key, history in hub.log_scalars.items() if key not in TIMES
    }


class Reader(Hook):
    """Look at the hub where and when the host's logger does."""

    priority = 'BELOW_NORMAL'

    def __init__(self):
        self.seen = []

    def after_train_iter(self, runner, batch_idx, data_batch=None,
                         outputs=None):
        interval = next(
            h.interval for h in runner.hooks if isinstance(h, LoggerHook))
        last = self.end_of_epoch(runner.train_dataloader, batch_idx)
        if self.every_n_inner_iters(batch_idx, interval) or last:
            self.look(runner)

    def after_val_epoch(self, runner, metrics=None):
        self.look(runner)

    def before_save_checkpoint(self, runner, checkpoint):
        hub = MessageHub('copy')
        hub.load_state_dict(checkpoint['message_hub'])
        self.seen.append(snapshot(hub))

    def look(self, runner):
        self.seen.append(snapshot(runner.message_hub))


def run(toy_runner, hook, name, **options):
    runner = toy_runner(name, **{
        'default_hooks.runtime_info': dict(type=hook),
        'work_dir': f'work-{hook}', **options})
    reader = Reader()
    runner.register_hook(reader)
    runner.train()
    reader.look(runner)
    return runner, reader.seen


@pytest.mark.parametrize('name, options', [
    ('toy_config.py', {}),
    ('toy_config.py', {'default_hooks.logger.interval': 3,
                       'train_cfg.val_interval': 2}),
    ('toy_iter_config.py', {}),
])
def test_equals_host_wherever_it_is_read(toy_runner, name, options):
    own, seen = run(toy_runner, OWN, name, **options)
    host, expected = run(toy_runner, HOST, name, **options)
    assert len(seen) == len(expected) > 5
    for mine, other in zip(seen, expected, strict=True):
        assert list(mine) == list(other)
        for key in mine:
            for a, b in zip(mine[key], other[key], strict=True):
                assert a.dtype == b.dtype
                np.testing.assert_array_equal(a, b, err_msg=key)
    assert list(own.message_hub.log_scalars) == list(
        host.message_hub.log_scalars)
    keys = set(host.message_hub.runtime_info)
    assert keys <= set(own.message_hub.runtime_info)


def count_reads(monkeypatch, toy_runner, hook):
    """Times that a number leaves its tensor, by training iteration."""
    reads, current = {}, [None]
    item, tolist = torch.Tensor.item, torch.Tensor.tolist

    def spy(function):

        def read(tensor):
            if tensor.is_floating_point():
                reads[current[0]] = reads.get(current[0], 0) + 1
            return function(tensor)

        return read

    class Where(Hook):
        priority = 'HIGHEST'

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            current[0] = runner.iter

        def after_train_epoch(self, runner):
            current[0] = None

    runner = toy_runner(**{
        'default_hooks.runtime_info': dict(type=hook),
        'default_hooks.logger.interval': 5, 'train_cfg.max_epochs': 2,
        'train_dataloader.dataset.noise': 0, 'custom_hooks': []})
    runner.register_hook(Where())
    monkeypatch.setattr(torch.Tensor, 'item', spy(item))
    monkeypatch.setattr(torch.Tensor, 'tolist', spy(tolist))
    runner.train()
    monkeypatch.undo()
    reads.pop(None, None)
    return reads


def test_one_transfer_an_interval(toy_runner, monkeypatch):
    host = count_reads(monkeypatch, toy_runner, HOST)
    assert set(host) == set(range(10)) and min(host.values()) >= 5
    own = count_reads(monkeypatch, toy_runner, OWN)
    # 0: keys that are new; 4 and 9: what the logger reads. Float32 and
    # float64 numbers are logged: two transfers.
    assert own == {0: 2, 4: 2, 9: 2}


def test_nan_stops_the_run(toy_runner, tmp_path):
    runner = toy_runner(**{
        'train_dataloader.dataset.broken_at': 7,
        'default_hooks.logger.interval': 100})
    with pytest.raises(NonFiniteLossError) as error:
        runner.train()
    text = str(error.value)
    assert 'loss and loss_cls and loss_small became' in text
    assert 'of 20' in text and "['nan']" in text
    assert "['inputs', 'data_samples']" in text and 'sample_idx=' in text
    assert 'No checkpoint was saved' in text
    # Found before the epoch's checkpoint: none holds ruined weights.
    assert not list((tmp_path / 'work').glob('*.pth'))


def test_nan_names_iteration_and_checkpoint(toy_runner, tmp_path):
    runner = toy_runner()

    class Break(Hook):

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            if runner.iter == 12:
                data_batch['inputs'] *= float('inf')

    runner.register_hook(Break(), 'LOW')
    with pytest.raises(NonFiniteLossError, match='iteration 13 of 20') as error:
        runner.train()
    assert str(tmp_path / 'work' / 'epoch_2.pth') in str(error.value)
    assert not (tmp_path / 'work' / 'epoch_3.pth').exists()


def test_check_can_be_switched_off(toy_runner):
    runner = toy_runner(**{
        'train_dataloader.dataset.broken_at': 7,
        'train_cfg.max_epochs': 1,
        'default_hooks.runtime_info.check_finite': False})
    runner.train()
    history = runner.message_hub.get_scalar('train/loss').data[0]
    assert np.isnan(history).any()


@pytest.mark.parametrize('name', ['interval', 'history'])
def test_numbers_are_checked(name):
    with pytest.raises(ValueError, match=f'{name} is .*at least 1; got 0'):
        HOOKS.build({'type': OWN, name: 0})


BOUNDED = {'default_hooks.runtime_info.history': 1}


def test_iterations_keep_what_logs_and_results_need(toy_runner, tmp_path):
    """Forty times as many numbers as are read would be kept without."""
    found = []
    for name, options in (('all', {}), ('bounded', BOUNDED)):
        runner, seen = run(toy_runner, OWN, 'toy_iter_config.py', **options, **{
            'work_dir': str(tmp_path / name), 'log_processor.window_size': 7})
        result = json.loads((tmp_path / name / 'result.json').read_text())
        lines = next((tmp_path / name).glob('*/vis_data/scalars.json'))
        logged = [{k: v for k, v in json.loads(line).items() if 'time' not in k}
                  for line in lines.read_text().splitlines()]
        found.append((seen, result['train_last'], result['metrics'], logged))
    assert found[0][1:] == found[1][1:] and len(found[0][3]) > 5
    for whole, bounded in zip(found[0][0], found[1][0], strict=True):
        for key, (logs, counts) in whole.items():
            kept = 7 if key.startswith('train/') else len(logs)
            np.testing.assert_array_equal(bounded[key][0], logs[-kept:])
            np.testing.assert_array_equal(bounded[key][1], counts[-kept:])
    # The timers of the host's hook grow between two flushes as well
    assert all(len(history.data[0]) <= 7 for key, history in
               runner.message_hub.log_scalars.items() if 'train/' in key)


@pytest.mark.parametrize('name, options', [
    ('toy_config.py', {}),
    ('toy_iter_config.py', {'log_processor.custom_cfg': [dict(
        data_src='loss', method_name='mean', window_size='global')]})])
def test_what_is_averaged_over_everything_is_kept(toy_runner, name, options):
    runner, _ = run(toy_runner, OWN, name, **BOUNDED, **options)
    assert len(runner.message_hub.get_scalar('train/loss').data[0]) == 20


def test_a_longer_history_of_an_earlier_run_is_cut():
    hub = MessageHub('long')
    for key in ('train/loss', 'val/loss'):
        hub.log_scalars[key] = HistoryBuffer([1., 2., 3., 4.], [1, 1, 2, 2])
    bound_histories(hub, 'train/', 3)
    hub.update_scalar('train/loss', 5.)
    logs, counts = hub.get_scalar('train/loss').data
    assert logs.tolist() == [3., 4., 5.] and counts.tolist() == [2, 2, 1]
    assert len(hub.get_scalar('val/loss').data[0]) == 4


def test_buffer_keeps_a_copy_and_the_order():
    buffer = ScalarBuffer()
    live = torch.tensor(1.)
    for step in range(3):
        live.fill_(step)
        buffer.start(step).add(dict(
            a=live, n=step, b=torch.tensor(step, dtype=torch.int64),
            c=torch.tensor([step / 3], dtype=torch.float64)))
    live.fill_(99.)
    flushed = list(buffer.flush())
    assert [record.iteration for record, _ in flushed] == [0, 1, 2]
    assert [values for _, values in flushed] == [
        dict(a=float(s), n=s, b=s, c=s / 3) for s in range(3)]
    assert [list(values) for _, values in flushed] == [list('anbc')] * 3
    assert list(buffer.flush()) == []


def test_buffer_refuses_what_is_no_number():
    with pytest.raises(ValueError, match="'mask' has the shape \\(2,\\)"):
        ScalarBuffer().start(0).add(dict(mask=torch.zeros(2)))


@pytest.mark.parametrize('values', [
    [1., 2., 3.], [1, 2.5, 3], [np.float32(0.1), True], [4.]])
@pytest.mark.parametrize('limit', [1000, 4])
def test_extend_history_equals_updates(values, limit):
    hub, host = MessageHub('own'), MessageHub('host')
    for each in (hub, host):
        each.log_scalars['train/x'] = HistoryBuffer(max_length=limit)
    for _ in range(3):
        extend_history(hub, 'train/x', values)
        for value in values:
            host.update_scalar('train/x', value)
        for a, b in zip(hub.get_scalar('train/x').data,
                        host.get_scalar('train/x').data, strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype
