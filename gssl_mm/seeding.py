"""Seeds that depend on their parts alone.

Every random draw of this package comes from a generator seeded by what the draw
is for: (seed, iteration, stream) on a batch, (seed, epoch, sample, stream) in
a worker. Neither the number of processes nor an interruption enters, so that
two processes equal one and a resumed run equals an uninterrupted one.
"""
import hashlib

SEED_BITS = 63


def stable_seed(*parts: int | str) -> int:
    """Hash integers and names to one seed.

    The same parts give the same seed on every machine, in every process and
    under every ``PYTHONHASHSEED``; parts that differ in one place, in their
    order or in how they are cut (``('a', 'bc')`` and ``('ab', 'c')``, ``1`` and
    ``'1'``) give unrelated seeds, so that the streams of neighbouring epochs
    or samples are not shifted copies of each other.

    Args:
        *parts (int | str): What the seed is for. Integers may be negative or
            larger than 64 bits, numpy integers are taken by value.

    Returns:
        int: A seed in [0, 2**63), valid for ``torch.Generator.manual_seed``
        and for ``numpy.random.default_rng``.

    Raises:
        TypeError: A part is neither an integer nor a string.

    Example:
        >>> generator = torch.Generator().manual_seed(
        ...     stable_seed(seed, iteration, 'crop'))
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        text = _encode(part)
        digest.update(len(text).to_bytes(8, 'little') + text)
    return int.from_bytes(digest.digest(), 'little') >> (64 - SEED_BITS)


def _encode(part: int | str) -> bytes:
    if isinstance(part, str):
        return b's' + part.encode()
    if isinstance(part, bool) or not hasattr(part, '__index__'):
        raise TypeError(
            'stable_seed takes integers and strings, got '
            f'{type(part).__name__} ({part!r}). Name the part with a string, '
            'or convert it with int() where that keeps it distinct.')
    return b'i%d' % part.__index__()


__all__ = ['SEED_BITS', 'stable_seed']
