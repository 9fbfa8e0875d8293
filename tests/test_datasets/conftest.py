"""CIFAR archives of a few images, in the dialects that exist."""
import pickle
import struct

import numpy as np
import pytest

CLASSES = ('airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog',
           'horse', 'ship', 'truck')


def _short(data):
    """SHORT_BINSTRING, as Python 2 wrote every string."""
    return b'U' + bytes([len(data)]) + data


def python2_dump(entry):
    """Write {bytes: array | list} with the opcodes of Python 2's cPickle."""
    out = [b'\x80\x02}q\x01(']
    for key, value in entry.items():
        out.append(_short(key.encode()))
        if isinstance(value, np.ndarray):
            raw = value.tobytes()
            out += [
                b'cnumpy.core.multiarray\n_reconstruct\nq\x02',
                b'cnumpy\nndarray\nq\x03K\x00\x85', _short(b'b'),
                b'\x87Rq\x05(K\x01'
            ]
            for side in value.shape:
                out.append(b'M' + struct.pack('<H', side))
            out += [
                b'\x86' if value.ndim == 2 else b'\x85',
                b'cnumpy\ndtype\nq\x07', _short(b'u1'), b'K\x00K\x01\x87R',
                b'(K\x03' + _short(b'|') +
                b'NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T' +
                struct.pack('<i', len(raw)) + raw + b'tb'
            ]
        elif isinstance(value, str):
            out.append(_short(value.encode()))
        else:
            items = [
                b'K' + bytes([v]) if isinstance(v, int) else
                _short(v.encode()) for v in value
            ]
            out.append(b']q\x09(' + b''.join(items) + b'e')
    return b''.join(out) + b'u.'


def python3_dump(protocol, core='numpy.core'):
    """Write with Python 3, with the module name of either NumPy."""

    def dump(entry):
        data = pickle.dumps(entry, protocol)
        ours, theirs = b'numpy._core', core.encode()
        if ours not in data:
            ours = b'numpy.core'
        # Length prefixes of protocol 4 count the module name.
        for module in (b'.multiarray', b'.numeric'):
            data = data.replace(
                bytes([len(ours + module)]) + ours + module,
                bytes([len(theirs + module)]) + theirs + module)
            data = data.replace(b'c' + ours + module, b'c' + theirs + module)
        return data

    return dump


DIALECTS = {
    'python2': python2_dump,
    'protocol2': python3_dump(2),
    'protocol4': python3_dump(4),
    'protocol4-numpy2': python3_dump(4, 'numpy._core'),
    'protocol5': python3_dump(5),
}


@pytest.fixture
def dialects():
    return DIALECTS


@pytest.fixture
def make_cifar10(tmp_path):
    """Write an archive of ``count`` images a file; return root and arrays."""

    def make(count=40, dump=DIALECTS['protocol4'], names=CLASSES):
        folder = tmp_path / 'cifar-10-batches-py'
        folder.mkdir()
        generator = np.random.default_rng(0)
        data, labels = {}, {}
        for name in [f'data_batch_{i}' for i in range(1, 6)] + ['test_batch']:
            data[name] = generator.integers(
                0, 256, (count, 3072), dtype=np.uint8)
            labels[name] = generator.integers(0, 10, count).tolist()
            entry = dict(
                batch_label=name, labels=labels[name], data=data[name],
                filenames=[f'{i}.png' for i in range(count)])
            (folder / name).write_bytes(dump(entry))
        (folder / 'batches.meta').write_bytes(
            dump(dict(label_names=list(names))))
        train = [f'data_batch_{i}' for i in range(1, 6)]
        images = np.concatenate([data[name] for name in train])
        images = images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return tmp_path, images, np.concatenate([labels[n] for n in train])

    return make
