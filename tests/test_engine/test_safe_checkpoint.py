"""A checkpoint is data: whatever it names is not run."""
import io
import os
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader, load_checkpoint
from torch import nn

from gssl_mm.engine import CheckpointError, safe_load


def save_pickle(path, body):
    """Put a hand-written pickle where torch.save puts its own."""
    torch.save({}, path)
    with zipfile.ZipFile(path) as archive:
        parts = {n: archive.read(n) for n in archive.namelist()}
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED) as archive:
        for name, data in parts.items():
            is_body = name.endswith('data.pkl')
            archive.writestr(name, body if is_body else data)


class Call:
    """Pickles to a call of a function."""

    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


def history(values):
    buffer = HistoryBuffer()
    for value in values:
        buffer.update(value)
    return buffer


def test_what_a_run_saves_comes_back(tmp_path):
    path = tmp_path / 'good.pth'
    buffer = history([1.5, float('nan'), -2.])
    saved = dict(
        state_dict=OrderedDict(w=torch.arange(6.).reshape(2, 3)),
        message_hub=dict(log_scalars=OrderedDict(loss=buffer)),
        numbers=[np.float64(0.1), np.int64(-7), np.float32(2.5), np.bool_(1)],
        arrays=(np.arange(6).reshape(2, 3), np.asfortranarray(np.eye(2)),
                np.array([True, False]), np.zeros((0, 2), np.uint8)),
        text='ä', none=None)
    torch.save(saved, path)
    loaded = safe_load(path)
    assert torch.equal(loaded['state_dict']['w'], saved['state_dict']['w'])
    restored = loaded['message_hub']['log_scalars']['loss']
    assert type(restored) is HistoryBuffer
    for mine, other in zip(restored.data, buffer.data, strict=True):
        np.testing.assert_array_equal(mine, other)
        assert mine.dtype == other.dtype
    restored.update(4.)
    assert restored.current() == 4. and restored.statistics('max', 1) == 4.
    for mine, other in zip(
            [*loaded['numbers'], *loaded['arrays']],
            [*saved['numbers'], *saved['arrays']], strict=True):
        assert type(mine) is type(other) and mine.dtype == other.dtype
        np.testing.assert_array_equal(mine, other)
    assert loaded['text'] == 'ä' and loaded['none'] is None


def test_older_numpy_names_are_read(tmp_path):
    path = tmp_path / 'old.pth'
    body = pickle.dumps(dict(h=history([1., 2.])), protocol=2)
    assert b'numpy._core' in body
    save_pickle(path, body.replace(b'numpy._core', b'numpy.core'))
    np.testing.assert_array_equal(safe_load(path)['h'].data[0], [1., 2.])


@pytest.mark.parametrize('name', ['os.system', 'exec', 'touch'])
def test_malicious_file_runs_nothing(tmp_path, name):
    trace = tmp_path / 'ran'
    attack = {
        'os.system': Call(os.system, f'touch {trace}'),
        'exec': Call(exec, f'open({str(trace)!r}, "w")'),
        'touch': Call(type(trace).touch, trace),
    }[name]
    path = tmp_path / 'evil.pth'
    torch.save(dict(state_dict=dict(w=torch.zeros(1)), meta=attack), path)
    for load in (safe_load, CheckpointLoader.load_checkpoint,
                 lambda p: load_checkpoint(nn.Linear(1, 1), p)):
        with pytest.raises(CheckpointError, match='nothing was run'):
            load(str(path))
    assert not trace.exists()
    # The same file does run under an unrestricted unpickler.
    if name == 'exec':
        torch.load(path, weights_only=False)
        assert trace.exists()


@pytest.mark.parametrize('protocol', [2, 4])
def test_malicious_plain_pickle_runs_nothing(tmp_path, protocol):
    trace = tmp_path / 'ran'
    path = tmp_path / 'evil.pkl'
    path.write_bytes(
        pickle.dumps(Call(os.system, f'touch {trace}'), protocol))
    with pytest.raises(CheckpointError):
        safe_load(path)
    assert not trace.exists()


def test_stand_ins_can_not_be_abused(tmp_path):
    path = tmp_path / 'evil.pth'
    reconstruct = np.zeros(1).__reduce__()[0]
    bodies = dict(
        getattr_of_class=Call(getattr, HistoryBuffer, 'update'),
        getattr_of_string=Call(getattr, 'x', 'format'),
        object_array=np.array([None, 1], dtype=object),
        structured=np.zeros(2, dtype=[('a', 'f8'), ('b', 'i4')]),
        string_array=np.array(['a']),
        array_subclass=Call(reconstruct, HistoryBuffer, (0, ), b'b'))
    for name, body in bodies.items():
        torch.save(dict(x=body), path)
        if name == 'getattr_of_class':
            # Nothing is looked up: a name comes back as a string.
            assert safe_load(path)['x'] == 'update'
            continue
        with pytest.raises(CheckpointError):
            safe_load(path)


def test_number_type_takes_no_flags_from_the_file(tmp_path):
    """Flags of a dtype's state can turn bytes into object pointers."""

    class Dtype:

        def __reduce__(self):
            return (np.dtype, ('f8', False, True),
                    (3, '<', None, None, None, 8, 8, 63))

    path = tmp_path / 'flags.pth'
    torch.save(dict(x=Dtype()), path)
    assert safe_load(path)['x'].dtype.flags == np.dtype('f8').flags
    assert np.dtype('f8').flags == 0


def test_history_takes_only_numbers_from_the_file(tmp_path):
    path = tmp_path / 'evil.pth'
    buffer = history([1.])
    buffer._log_history = 'text'
    torch.save(dict(h=buffer), path)
    with pytest.raises(CheckpointError):
        safe_load(path)
    buffer = history([1.])
    buffer.mean, methods = 'poison', dict(HistoryBuffer._statistics_methods)
    buffer._statistics_methods = dict(methods, mean='poison')
    torch.save(dict(h=buffer), path)
    restored = safe_load(path)['h']
    assert restored.mean() == 1. and restored.statistics('mean') == 1.
    assert HistoryBuffer._statistics_methods == methods


@pytest.mark.parametrize('keep', [0, 10, 0.5, -1])
def test_truncated_file_is_named(tmp_path, keep):
    path = tmp_path / 'epoch_3.pth'
    torch.save(dict(state_dict=dict(w=torch.randn(1000))), path)
    data = path.read_bytes()
    cut = int(len(data) * keep) if isinstance(keep, float) else keep
    path.write_bytes(data[:cut])
    with pytest.raises(CheckpointError, match='epoch_3.pth is truncated'):
        safe_load(path)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / 'notes.txt'
    path.write_text('hello')
    with pytest.raises(CheckpointError, match='not a checkpoint'):
        safe_load(path)
    script = torch.jit.script(nn.Linear(1, 1))
    torch.jit.save(script, str(path))
    with pytest.raises(CheckpointError):
        safe_load(path)
    with pytest.raises(FileNotFoundError, match='no checkpoint'):
        safe_load(tmp_path / 'absent.pth')


def test_bytes_and_urls(tmp_path, monkeypatch):
    good = io.BytesIO()
    torch.save(dict(a=torch.ones(1)), good)
    good.seek(0)
    assert safe_load(good, name='store')['a'] == 1
    evil = tmp_path / 'evil.pth'
    trace = tmp_path / 'ran'
    torch.save(Call(os.system, f'touch {trace}'), evil)
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    monkeypatch.setattr(
        torch.hub, 'download_url_to_file',
        lambda url, path, **kwargs: os.link(evil, path))
    for address in ('https://host.example/evil.pth',
                    'http://host.example/evil.pth'):
        with pytest.raises(CheckpointError, match='host.example'):
            CheckpointLoader.load_checkpoint(address)
    monkeypatch.setattr(
        'mmengine.runner.checkpoint.get_torchvision_models',
        lambda: dict(net='https://host.example/evil.pth'))
    with pytest.raises(CheckpointError):
        CheckpointLoader.load_checkpoint('torchvision://net')
    with pytest.raises(CheckpointError, match='Allowed are'):
        CheckpointLoader.load_checkpoint('pavi://net')
    assert not trace.exists()


def test_no_loader_of_the_host_is_left():
    modules = {f.__module__ for f in CheckpointLoader._schemes.values()}
    assert modules == {'gssl_mm.engine.safe_checkpoint'}


def test_a_star_is_the_newest_match(tmp_path):
    folder = tmp_path / 'a [run]'
    folder.mkdir()
    for age, name in enumerate(('best_a_9.pth', 'best_a_10.pth', 'last.pth')):
        torch.save(dict(weight=torch.tensor(age)), folder / name)
        os.utime(folder / name, (1000 - age, 1000 - age))
    found = CheckpointLoader.load_checkpoint(str(folder / 'best_*.pth'))
    assert found['weight'] == 0
    literal = folder / 'best_*.pth'
    torch.save(dict(weight=torch.tensor(7)), literal)
    assert CheckpointLoader.load_checkpoint(str(literal))['weight'] == 7
    with pytest.raises(FileNotFoundError, match=r'worst_\*.pth'):
        CheckpointLoader.load_checkpoint(str(folder / 'worst_*.pth'))
