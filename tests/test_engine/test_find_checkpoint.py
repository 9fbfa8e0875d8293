"""Which checkpoint a run continues from."""
import os
import shutil

import pytest
import torch

from gssl_mm.engine import CheckpointError, find_resumable_checkpoint
from gssl_mm.engine.find_checkpoint import (
    checkpoint_candidates,
    verify_checkpoint,
)


def save(path, **parts):
    content = dict(meta={}, state_dict=dict(w=torch.randn(500)),
                   message_hub={}, optimizer={})
    content.update(parts)
    torch.save({k: v for k, v in content.items() if v is not None}, path)
    return path


@pytest.fixture
def folder(tmp_path):
    for epoch in (1, 2, 9, 10):
        save(tmp_path / f'epoch_{epoch}.pth')
    save(tmp_path / 'best_accuracy_top1_epoch_9.pth')
    save(tmp_path / 'epoch_10-0123abcd.pth')
    return tmp_path


def announce(folder, name):
    (folder / 'last_checkpoint').write_text(str(folder / name))


def names(folder):
    return [path.name for path in checkpoint_candidates(folder)]


def test_order(folder):
    announce(folder, 'epoch_9.pth')
    # epoch_10 is of an earlier run, or was never announced
    assert names(folder) == ['epoch_9.pth', 'epoch_2.pth', 'epoch_1.pth']
    assert find_resumable_checkpoint(folder) == folder / 'epoch_9.pth'


@pytest.mark.parametrize('pointer', [None, '', '\0\0\0'])
def test_without_pointer(folder, pointer):
    if pointer is not None:
        (folder / 'last_checkpoint').write_text(pointer)
    assert names(folder) == [
        'epoch_10.pth', 'epoch_9.pth', 'epoch_2.pth', 'epoch_1.pth']


def test_announced_file_is_gone(folder):
    announce(folder, 'epoch_9.pth')
    (folder / 'epoch_9.pth').unlink()
    assert find_resumable_checkpoint(folder) == folder / 'epoch_2.pth'


def test_moved_work_dir(folder):
    (folder / 'last_checkpoint').write_text('/no/such/place/epoch_9.pth')
    assert find_resumable_checkpoint(folder) == folder / 'epoch_9.pth'


def test_copied_work_dir(folder, tmp_path):
    announce(folder, 'epoch_10.pth')
    copy = tmp_path / 'copy'
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns('copy'))
    # The original's files are not those of the copy, where it has its own
    assert find_resumable_checkpoint(copy) == copy / 'epoch_10.pth'
    (copy / 'epoch_10.pth').unlink()
    assert find_resumable_checkpoint(copy) == copy / 'epoch_9.pth'
    # Checkpoints that were sent to another folder
    for path in copy.glob('*.pth'):
        path.unlink()
    assert find_resumable_checkpoint(copy) == folder / 'epoch_10.pth'


def test_empty_or_absent_work_dir(tmp_path):
    assert find_resumable_checkpoint(tmp_path) is None
    assert find_resumable_checkpoint(tmp_path / 'absent') is None


def test_truncated_is_refused_by_name(folder, monkeypatch):
    lines = []
    monkeypatch.setattr('gssl_mm.engine.find_checkpoint.print_log',
                        lambda text, **kwargs: lines.append(text))
    announce(folder, 'epoch_10.pth')
    os.truncate(folder / 'epoch_10.pth', 300)
    os.truncate(folder / 'epoch_9.pth', 0)
    assert find_resumable_checkpoint(folder) == folder / 'epoch_2.pth'
    assert [line.split(':')[0] for line in lines] == [
        f'Refused {folder}/epoch_10.pth', f'Refused {folder}/epoch_9.pth']


def test_flipped_bit_is_refused(folder):
    path = folder / 'epoch_10.pth'
    data = bytearray(path.read_bytes())
    weights = torch.load(path)['state_dict']['w'].numpy().tobytes()
    data[data.index(weights) + 100] ^= 4
    path.write_bytes(data)
    torch.load(path)  # torch itself does not notice
    with pytest.raises(CheckpointError, match='checksum'):
        verify_checkpoint(path)
    assert find_resumable_checkpoint(folder) == folder / 'epoch_9.pth'


def test_all_broken_is_an_error(folder):
    announce(folder, 'epoch_2.pth')
    for path in folder.glob('epoch*.pth'):
        os.truncate(path, 10)
    with pytest.raises(CheckpointError, match='epoch_2.pth, epoch_1.pth'):
        find_resumable_checkpoint(folder)


@pytest.mark.parametrize('part', ['meta', 'message_hub', 'optimizer'])
def test_checkpoint_without_a_needed_part(tmp_path, part):
    path = save(tmp_path / 'epoch_1.pth', **{part: None})
    with pytest.raises(CheckpointError, match=f"lacks \\['{part}'\\]"):
        verify_checkpoint(path)
