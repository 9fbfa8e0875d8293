"""Writing files and choosing a work dir."""
import os
import stat

import pytest
from mmengine.fileio import put, put_text

from gssl_mm.atomic_io import (
    ATOMIC_BACKEND,
    FileWriteError,
    atomic_write,
    remove_leftovers,
    temporary_name,
)
from gssl_mm.engine import WorkDirError, check_work_dir

ARGS = dict(backend=ATOMIC_BACKEND)


def test_write_and_replace(tmp_path):
    path = tmp_path / 'a' / 'file.bin'
    atomic_write(path, b'one')
    atomic_write(path, b'two')
    assert path.read_bytes() == b'two'
    assert os.listdir(path.parent) == ['file.bin']
    put(b'three', str(path), backend_args=ARGS)
    assert path.read_bytes() == b'three'
    put_text('vier', str(path), backend_args=ARGS)
    assert path.read_text() == 'vier'


def test_order_is_write_sync_rename_sync(tmp_path, monkeypatch):
    events, path = [], tmp_path / 'file'
    fsync, replace = os.fsync, os.replace

    def spy_sync(descriptor):
        is_dir = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        events.append('sync folder' if is_dir else 'sync file')
        fsync(descriptor)

    def spy_replace(source, target):
        assert source == temporary_name(path) and target == path
        assert source.read_bytes() == b'data'
        events.append('rename')
        replace(source, target)

    monkeypatch.setattr(os, 'fsync', spy_sync)
    monkeypatch.setattr(os, 'replace', spy_replace)
    atomic_write(path, b'data')
    assert events == ['sync file', 'rename', 'sync folder']


def test_full_device_keeps_what_was_there(tmp_path):
    path = tmp_path / 'epoch_2.pth'
    path.write_bytes(b'old')
    temporary_name(path).symlink_to('/dev/full')
    with pytest.raises(FileWriteError) as error:
        atomic_write(path, b'new' * 10000)
    text = str(error.value)
    assert str(path) in text and 'No space left' in text and 'complete' in text
    assert path.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['epoch_2.pth']


def test_leftovers(tmp_path):
    kept = tmp_path / 'epoch_1.pth'
    kept.write_bytes(b'x')
    half = temporary_name(kept)
    half.write_bytes(b'half')
    assert half.name.startswith('.') and half.suffix != '.pth'
    assert remove_leftovers(tmp_path) == [half]
    assert os.listdir(tmp_path) == ['epoch_1.pth']
    assert remove_leftovers(tmp_path / 'absent') == []


def test_work_dir_is_made_and_left_empty(tmp_path):
    folder = check_work_dir(tmp_path / 'a' / 'b')
    assert folder.is_absolute() and os.listdir(folder) == []
    assert check_work_dir(folder) == folder


def test_work_dir_that_is_a_file(tmp_path):
    path = tmp_path / 'file'
    path.write_text('x')
    with pytest.raises(WorkDirError, match='is a file, not a folder'):
        check_work_dir(path)
    with pytest.raises(WorkDirError, match='can not be written'):
        check_work_dir(path / 'below')
    with pytest.raises(WorkDirError, match='is a device'):
        check_work_dir('/dev/full')
    assert path.read_text() == 'x'


def test_work_dir_on_a_full_device(tmp_path):
    (tmp_path / '.gssl-write-probe').symlink_to('/dev/full')
    with pytest.raises(WorkDirError, match='No space left.*--work-dir'):
        check_work_dir(tmp_path)
