"""Randomness of a pipeline that depends on (seed, epoch, sample) alone.

The host seeds its workers by their number and not by the epoch: a worker that
starts anew repeats the stream of the epoch before, and one that stays alive
cannot be resumed. A transform that draws from :func:`sample_generator` does
neither, and gives a sample the same draws in any worker of any process.

The epoch lives in shared memory, because a worker that stays alive has to see
it change. Forked workers share it as it is. A worker started by spawn or
forkserver imports this module anew; it is joined to the parent's epoch by an
:class:`EpochHandle` among the attributes of the dataset or of a transform,
which travels to the worker with it.
"""
import os

import torch

from gssl_mm.seeding import stable_seed

_epoch = torch.zeros((), dtype=torch.int64).share_memory_()


def set_epoch(epoch: int) -> None:
    """Set the epoch for this process and the workers it started.

    Args:
        epoch (int): The 0-based epoch, before the loader's iterator is made.
    """
    _epoch.fill_(int(epoch))


def get_epoch() -> int:
    """Return the epoch that was set last, 0 if none was."""
    return int(_epoch)


def sample_generator(seed: int, sample_idx: int,
                     stream: str) -> torch.Generator:
    """Return a generator for one sample in the current epoch.

    Args:
        seed (int): The seed of the run.
        sample_idx (int): The sample, ``results['sample_idx']``.
        stream (str): What the draws are for; different names give unrelated
            draws.

    Returns:
        torch.Generator: On the CPU, seeded by (seed, epoch, sample, stream).
    """
    return torch.Generator().manual_seed(
        stable_seed(seed, get_epoch(), sample_idx, stream))


class EpochHandle:
    """Carries the shared epoch into workers that were not forked.

    Keep one as an attribute of a transform: being sent to a worker joins the
    worker to the parent's epoch. In the process itself, and in copies, it does
    nothing.
    """

    def __deepcopy__(self, memo: dict) -> 'EpochHandle':
        return EpochHandle()

    def __reduce__(self) -> tuple:
        return _attach, (_epoch, os.getpid())


def _attach(epoch: torch.Tensor, sender: int) -> EpochHandle:
    """Join a worker to the epoch it was sent; elsewhere change nothing."""
    global _epoch
    # A plain pickle, on the way to a file say, carries a copy of the number.
    if sender != os.getpid() and epoch.is_shared():
        _epoch = epoch
    return EpochHandle()


__all__ = ['EpochHandle', 'get_epoch', 'sample_generator', 'set_epoch']
