"""Start a process group, also where there is no GPU."""
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import OptionError

# launcher -> environment names of (rank, number of processes, local rank)
_NAMES = {
    'pytorch': ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
    'slurm': ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
    'mpi': ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE',
            'OMPI_COMM_WORLD_LOCAL_RANK'),
}
_STARTERS = {
    'pytorch': 'torchrun (tools/dist_train.sh)',
    'slurm': 'srun (tools/slurm_train.sh)',
    'mpi': 'mpirun'
}


def _from_env(launcher: str, which: int) -> str:
    name = _NAMES[launcher][which]
    if name not in os.environ:
        raise OptionError(
            f'--launcher {launcher} needs the environment variable {name}, '
            f'which is not set: start the tool with {_STARTERS[launcher]}, or '
            'leave --launcher out for one process.')
    return os.environ[name]


def count_processes(launcher: str) -> int:
    """Number of processes that the launcher started, 1 without one.

    Raises:
        OptionError: The launcher's environment is missing.
    """
    return 1 if launcher == 'none' else int(_from_env(launcher, 1))


def _export(launcher: str) -> None:
    """Translate a launcher's environment to torch's."""
    os.environ['RANK'] = _from_env(launcher, 0)
    os.environ['WORLD_SIZE'] = _from_env(launcher, 1)
    os.environ['LOCAL_RANK'] = _from_env(launcher, 2)
    os.environ.setdefault('MASTER_PORT', '29500')
    if 'MASTER_ADDR' not in os.environ and launcher == 'slurm':
        nodes = os.environ.get('SLURM_NODELIST', '')
        found = subprocess.run(['scontrol', 'show', 'hostname', nodes],
                               capture_output=True, text=True, check=False)
        os.environ['MASTER_ADDR'] = found.stdout.split('\n')[0]
    os.environ.setdefault('MASTER_ADDR', '127.0.0.1')


def use_cpu_group(cfg: Any, launcher: str) -> None:
    """Start a gloo group and wrap the model for the CPU.

    The host asks for a CUDA device when it starts the group itself, and gives
    one to the wrapper; both are avoided by doing so before the Runner is built.

    Args:
        cfg (Config): Changed in place: ``model_wrapper_cfg``.
        launcher (str): ``'pytorch'``, ``'slurm'`` or ``'mpi'``.
    """
    import torch.distributed as dist
    _export(launcher)
    if not dist.is_initialized():
        dist.init_process_group('gloo')
    wrapper = dict(cfg.get('model_wrapper_cfg') or {})
    wrapper.setdefault('type', 'MMDistributedDataParallel')
    wrapper.setdefault('broadcast_buffers', False)
    wrapper['device_ids'] = None
    cfg.model_wrapper_cfg = wrapper


@contextmanager
def process_group(cfg: Any, launcher: str) -> Iterator[None]:
    """Hold a process group for the time of a run, if there is a launcher.

    On an accelerator the host starts the group; either way it is closed here.
    """
    if launcher != 'none':
        from mmengine.device import get_device
        if get_device() == 'cpu':
            use_cpu_group(cfg, launcher)
    try:
        yield
    finally:
        if launcher != 'none':
            import torch.distributed as dist
            if dist.is_initialized():
                dist.destroy_process_group()


__all__ = ['count_processes', 'process_group', 'use_cpu_group']
