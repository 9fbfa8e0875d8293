"""The benchmark of the image cache runs, compares and judges."""
import json

import pytest

from gssl_mm.datasets.image_cache_file import is_mapped


@pytest.fixture
def bench(load):
    return load('tiny_cache')


def test_tiny_cache(bench, tmp_path, capsys):
    out = tmp_path / 'numbers.json'
    assert bench.main(['--quick', '--out', str(out)]) == 0
    found = json.loads(out.read_text())
    assert [row['variant'] for row in found['rows']] == [
        'fetch', 'decode', 'read and decode']
    (promise, ) = found['promises']
    assert promise['limit'] == 10 and promise['relation'] == '>='
    assert promise['ratio'] > 0
    assert '| image | fetch |' in capsys.readouterr().out


def test_an_archive_given_by_name(bench, tmp_path):
    root = tmp_path / 'tiny'
    root.mkdir()
    bench.write_archive(root, 30)
    before = sorted(root.rglob('*'))
    args = ['--quick', '--data-root', str(root), '--images', '8']
    assert bench.main(args) == 0
    # Its own cache is in the temporary folder
    assert sorted(root.rglob('*')) == before


def test_both_sides_have_to_agree(bench, tmp_path):
    root = tmp_path / 'tiny'
    root.mkdir()
    bench.write_archive(root, 10)
    args = bench.parse_args(['--quick', '--data-root', str(root)])
    dataset, files = bench.load(args, str(tmp_path))
    assert is_mapped(dataset.images) and len(files) == 10
    bench.make_variants(dataset, files)
    with pytest.raises(ArithmeticError, match='differ'):
        bench.make_variants(dataset, files[::-1])
