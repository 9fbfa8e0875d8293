import io
import os
import pickle
import struct

import numpy as np
import pytest

from gssl_mm.datasets.errors import BrokenPickleError, UnsafePickleError
from gssl_mm.datasets.pickled_array import PickledArray
from gssl_mm.datasets.safe_pickle import DEFER_BYTES, load_pickle

DIALECTS = ['python2', 'protocol2', 'protocol4', 'protocol4-numpy2',
            'protocol5']


def load(data):
    return load_pickle(lambda: io.BytesIO(data), 'somewhere/batch')


@pytest.mark.parametrize('name', DIALECTS)
@pytest.mark.parametrize('rows', [5, 100])
def test_dialects(dialects, name, rows):
    images = np.random.default_rng(1).integers(
        0, 256, (rows, 1000), dtype=np.uint8)
    entry = dict(labels=list(range(5)), data=images, batch_label='one of 5',
                 filenames=['a.png', 'b.png'])
    data = dialects[name](entry)
    if name != 'python2':
        # What is written is what it is said to be.
        core = b'numpy._core' if 'numpy2' in name else b'numpy.core'
        assert core + b'.' in data
    got = load(data)
    assert got['labels'] == list(range(5))
    assert got['batch_label'] == 'one of 5'
    assert got['filenames'] == ['a.png', 'b.png']
    assert isinstance(got['data'], PickledArray)
    np.testing.assert_array_equal(np.asarray(got['data']), images)


def test_python2_dialect_is_read_by_the_reference_reader(dialects):
    """The hand-written opcodes are a real pickle, not one of our own."""
    images = np.arange(200, dtype=np.uint8).reshape(10, 20)
    data = dialects['python2'](dict(data=images, labels=[1, 2]))
    got = pickle.loads(data, encoding='latin1')
    np.testing.assert_array_equal(got['data'], images)
    assert got['labels'] == [1, 2] and b'T' in data


@pytest.mark.parametrize('array', [
    np.arange(12, dtype='>i4').reshape(3, 4),
    np.asfortranarray(np.arange(12.).reshape(3, 4)),
    np.zeros((1, 7), np.float32),
    np.array([True, False]),
])
@pytest.mark.parametrize('protocol', [2, 4, 5])
def test_other_arrays(array, protocol):
    got = np.asarray(load(pickle.dumps({'x': array}, protocol))['x'])
    np.testing.assert_array_equal(got, array)
    assert got.dtype == array.dtype


@pytest.mark.parametrize('order', ['C', 'F'])
def test_chunks_read_the_rows_asked_for(order):
    images = np.random.default_rng(2).integers(
        0, 256, (1700, 64), dtype=np.uint8)
    data = pickle.dumps({'x': np.array(images, order=order)}, 4)
    assert images.nbytes > DEFER_BYTES
    rows = np.random.default_rng(3).integers(0, 1700, 300)
    out = np.zeros((300, 64), np.uint8)
    for where, block in load(data)['x'].chunks(rows):
        out[where] = block
    np.testing.assert_array_equal(out, images[rows])
    assert list(load(data)['x'].chunks(np.array([], np.int64))) == [] or (
        order == 'F')


def test_large_arrays_stay_on_the_disk():
    images = np.zeros((4, DEFER_BYTES), np.uint8)
    reads = []

    class Spy(io.BytesIO):

        def read(self, size=-1):
            reads.append(size)
            return super().read(size)

    data = pickle.dumps({'x': images}, 4)
    load_pickle(lambda: Spy(data), 'x')
    assert 0 < sum(reads) < 500


class Touch:
    """Reduces to a call that leaves a trace."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path), )


@pytest.mark.parametrize('protocol', [0, 1, 2, 3, 4, 5])
def test_malicious_pickle_runs_nothing(tmp_path, protocol):
    trace = tmp_path / 'trace'
    data = pickle.dumps({'data': Touch(trace), 'labels': [0]}, protocol)
    with pytest.raises(UnsafePickleError) as error:
        load(data)
    assert not trace.exists()
    # The file would have done it.
    pickle.loads(data)
    assert trace.exists()
    for part in ('somewhere/batch', 'mkdir', 'nothing in the file was run'):
        assert part in str(error.value)


@pytest.mark.parametrize('data', [
    b'(S"echo"\nios\nsystem\n.', b'(cos\nsystem\nS"echo"\no.',
    b'cbuiltins\neval\n(S"1"\ntR.', b'\x80\x02cnumpy\nndarray\n)\x81.',
    b'\x80\x02\x82\x01.', b'Pname\n.', b'\x80\x02K\x01Q.',
    b'cnumpy\nload\n(S"x"\ntR.', b'cnumpy.core\nmultiarray\n.',
    b'c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00ziptR.',
    b'\x80\x05\x97.',
])
def test_refused_opcodes_and_names(data):
    with pytest.raises(UnsafePickleError, match='somewhere/batch is refused'):
        load(data)


@pytest.mark.parametrize('data', [
    b'', b'no pickle at all', b'\x80\x04', b'}', b'K\x01K\x02R.',
    b']}b.', b'cnumpy\nndarray\n.', b'cnumpy\nndarray\n)R.',
    b'cnumpy\ndtype\n(S"O8"\ntR.', b'cnumpy\ndtype\n(S"V400"\ntR.',
    b'T\xff\xff\xff\xff.', b'\x8e' + b'\xff' * 8 + b'.',
    b'cnumpy.core.multiarray\n_reconstruct\n(S"x"\n(K\x00tS"b"\ntR.',
])
def test_broken_pickles(data):
    with pytest.raises(BrokenPickleError) as error:
        load(data)
    assert 'somewhere/batch' in str(error.value)
    assert 'delete it and get it again' in str(error.value)


@pytest.mark.parametrize('name', DIALECTS)
def test_every_cut_is_noticed(dialects, name):
    data = dialects[name](
        dict(data=np.zeros((3, 100), np.uint8), labels=[1, 2, 3]))
    for length in range(0, len(data), 7):
        with pytest.raises(BrokenPickleError):
            load(data[:length])


def test_array_that_claims_more_than_it_has():
    data = pickle.dumps({'x': np.zeros((2, 100), np.uint8)}, 4)
    forged = data.replace(b'K\x02Kd\x86', b'K\x03Kd\x86')
    assert forged != data
    with pytest.raises(BrokenPickleError, match='needs 300 bytes, got 200'):
        load(forged)


def test_deferred_array_in_a_file_that_shrinks(tmp_path):
    path = tmp_path / 'batch'
    path.write_bytes(pickle.dumps({'x': np.zeros((300, 1000), np.uint8)}, 4))
    array = load_pickle(lambda: open(path, 'rb'), str(path))['x']
    os.truncate(path, 200_000)
    with pytest.raises(BrokenPickleError, match='ends inside'):
        list(array.chunks(np.arange(300)))
    with pytest.raises(BrokenPickleError, match='ends inside'):
        np.asarray(array)


def test_nested_containers_are_walked_once():
    value = ['x']
    for _ in range(60):
        value = [value, value]
    got = load(pickle.dumps(value, 4))
    assert len(got) == 2 and got[0] is got[1]


def test_frames_of_any_size_are_ignored():
    body = pickle.dumps([1, 2], 4)
    assert body[2:3] == b'\x95'
    wrong = body[:3] + struct.pack('<Q', 1) + body[11:]
    assert load(wrong) == [1, 2]
