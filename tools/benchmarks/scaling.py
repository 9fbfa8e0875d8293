"""Scaling: one and two processes measured here, up to 64 GPUs by a model.

    python tools/benchmarks/scaling.py --out results/benchmarks/scaling.json

Training steps of configs/gssl/resnet32_cifar10lt.py (three tasks and the gate)
on cached batches. Measured:

- compute: one process, batches of 2 to 128 images;
- processes: two processes with gloo, sharing the batch of one (strong scaling)
  or with its batch each (weak), in turns with the process that is alone; every
  process has the same number of threads, at most half of the cores;
- the bytes that a step reduces over processes, counted in the run of two:
  gradients, and what gates and losses add (logged values are not in it).

Modelled, and no measurement: the step of G GPUs takes the measured compute of
its share of the batch and a ring reduction of the measured bytes,

    t(n) + 2 (G - 1) / G * bytes / bandwidth + 2 (G - 1) * latency * calls

which hides nothing behind the backward pass (slow end), or the larger of the
two (fast end). A share below the smallest measured batch takes as long as that.
Bandwidth and latency are assumptions: options, kept in the file. The compute is
this machine's; ``--compute FILE`` takes that of another one, such as a file
written with ``--device cuda`` on a GPU. Loading is not in it: see
host_comparison.py for steps end to end.
"""
import argparse
import json
import os
import socket
import sys
import tempfile
from functools import partial
from pathlib import Path

import torch
from bench_common import (
    interleave,
    machine_facts,
    make_parser,
    prepare,
    quiet_host,
    report,
    take_turns,
    timing_row,
)
from bench_scaling import RECIPE, build_trainer, child, model_curve
from bench_turns import Entrant

from gssl_mm.tooling.errors import OptionError, run_tool
from gssl_mm.tooling.speed_tables import curve_table

CHILD = '--child'
COMPUTE = 'compute'


def time_compute(args: argparse.Namespace) -> list[dict]:
    """Steps of one process at each batch size."""
    runs, sizes = {}, {}
    for size in args.sizes:
        trainer, batch = build_trainer(size, args)
        name = f'{size} images'
        sizes[name] = size
        runs[name] = partial(trainer.step, batch)
    times = take_turns(runs, args)
    base = times[f'{max(args.sizes)} images']
    return [dict(timing_row(COMPUTE, name, found, sizes[name], base),
                 images=sizes[name]) for name, found in times.items()]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(('127.0.0.1', 0))
        return found.getsockname()[1]


class Group:
    """Processes that train together and report through the first.

    Args:
        size (int): Number of processes.
        images (int): Batch of each.
        folder (Path): For their logs.
        args (Namespace): Options.
    """

    def __init__(self, size: int, images: int, folder: Path,
                 args: argparse.Namespace) -> None:
        self.total = size * images
        env = dict(os.environ, MASTER_ADDR='127.0.0.1', WORLD_SIZE=str(size),
                   MASTER_PORT=str(free_port()), CUDA_VISIBLE_DEVICES='',
                   OMP_NUM_THREADS=str(args.threads))
        options = json.dumps(dict(
            images=images, steps=args.steps, depth=args.depth,
            precision=args.precision))
        self.ranks = [Entrant(
            [sys.executable, str(Path(__file__).resolve()), CHILD, options],
            folder / f'{size}-{images}-{rank}.txt', dict(env, RANK=str(rank)))
            for rank in range(size)]
        try:
            self.facts = [rank.wait() for rank in self.ranks][0]['metrics']
        except ChildProcessError:
            self.close()
            raise

    def block(self) -> float:
        """Seconds a step of a block of steps."""
        for rank in self.ranks:
            os.write(rank.words, b'go\n')
        return [rank.wait() for rank in self.ranks][0]['metrics']['step_s']

    def close(self) -> None:
        """End the processes."""
        for rank in self.ranks:
            rank.close()


def time_processes(args: argparse.Namespace) -> tuple[list[dict], dict]:
    """One process against two, and what two of them reduce."""
    batch = max(args.sizes)
    plans = {'1 process': (1, batch),
             f'2 processes, {batch} images in all': (2, batch // 2),
             f'2 processes, {batch} images each': (2, batch)}
    groups: dict[str, Group] = {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            for name, plan in plans.items():
                groups[name] = Group(*plan, Path(folder), args)
            blocks = {name: group.block for name, group in groups.items()}
            interleave(blocks, 1)
            times = interleave(blocks, args.rounds)
        finally:
            for group in groups.values():
                group.close()
    base = times['1 process']
    rows = [timing_row('processes', name, found, groups[name].total, base)
            for name, found in times.items()]
    for row in rows:
        images = groups[row['variant']].total / groups['1 process'].total
        row['speed_over_one'] = images / row['time_ratio']
    return rows, groups[list(plans)[1]].facts


def read_compute(path: Path) -> tuple[dict[int, float], str]:
    """Step times of another file of this benchmark, and its machine.

    Raises:
        OptionError: It is not one.
    """
    content = json.loads(path.read_text())
    found = {row['images']: row['ms'] / 1e3 for row in content.get('rows', [])
             if row['part'] == COMPUTE}
    if content.get('benchmark') != 'scaling' or not found:
        raise OptionError(f'--compute {path}: not a file that scaling.py wrote')
    hardware = content['hardware']
    gpu = content['device'] == 'cuda'
    return found, str(hardware['gpu'] if gpu else hardware['cpu'])


def print_model(curve: list[dict], machine: str) -> None:
    """Show the modelled curve."""
    print(f'Modelled from the compute of {machine}, not measured:\n\n'
          f'{curve_table(curve)}\n')


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('--sizes', type=int, nargs='+', help='images a step')
    parser.add_argument('--precision', choices=['float32', 'bfloat16'],
                        default='float32')
    parser.add_argument('--depth', type=int, help='default: the config\'s')
    parser.add_argument('--no-processes', action='store_true',
                        help='compute alone, as with --device cuda')
    parser.add_argument('--compute', type=Path, help='file whose compute is '
                        'used for the model (default: what is measured)')
    parser.add_argument('--gpus', type=int, nargs='+',
                        default=[1, 2, 4, 8, 16, 32, 64])
    parser.add_argument('--node', type=int, default=8, help='GPUs in a node')
    parser.add_argument('--inside', type=float, default=200.,
                        help='assumed GB/s between GPUs of a node')
    parser.add_argument('--between', type=float, default=20.,
                        help='assumed GB/s between nodes')
    parser.add_argument('--latency', type=float, default=10.,
                        help='assumed microseconds of a hop')
    args = parser.parse_args(argv)
    if args.threads is None:
        args.threads = max(1, len(os.sched_getaffinity(0)) // 2)
    quick = dict(rounds=1, steps=1, sizes=[2, 4], depth=8)
    full = dict(rounds=7, steps=4, sizes=[2, 4, 8, 16, 32, 64, 128])
    prepare(args, **(quick if args.quick else full))
    args.no_processes = args.no_processes or args.device == 'cuda'
    return args


def main(argv: list[str] | None = None) -> int:
    """Measure, model, report."""
    args = parse_args(argv)
    facts = machine_facts(args.device)
    with quiet_host():
        rows = time_compute(args)
    reduced = None
    if not args.no_processes:
        more, reduced = time_processes(args)
        rows += more
    compute = {row['images']: row['ms'] / 1e3 for row in rows
               if row['part'] == COMPUTE}
    machine = f'this machine ({args.device})'
    if args.compute:
        compute, machine = read_compute(args.compute)
    curve = model_curve(compute, reduced, args) if reduced else []
    if curve:
        print_model(curve, machine)
    return report('scaling', args, facts, rows, [], recipe=RECIPE,
                  reduced=reduced, model=dict(machine=machine, curve=curve))


if __name__ == '__main__':
    if sys.argv[1:2] == [CHILD]:
        torch.set_num_threads(int(os.environ['OMP_NUM_THREADS']))
        sys.exit(child(*sys.argv[2:]))
    sys.exit(run_tool(main))
