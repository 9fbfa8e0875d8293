"""What the benchmarks of this folder share: clocks, ratios, reports.

Variants are measured alternately, a block of steps each, in an order that is
turned round every time, so that a machine that grows slower or faster meets all
of them alike. A ratio is the median over the rounds of the quotient of two
blocks of one round.
"""
import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import torch
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope

from gssl_mm.atomic_io import atomic_write
from gssl_mm.engine.heap import keep_freed_memory
from gssl_mm.engine.run_facts import git_commit, hardware, versions
from gssl_mm.tooling.result_records import hardware_name


class Promise(NamedTuple):
    """A ratio that has to hold.

    Attributes:
        name (str): What is compared.
        ratio (float): What was measured.
        limit (float): What is promised.
        relation (str): ``'<='`` or ``'>='``.
    """

    name: str
    ratio: float
    limit: float
    relation: str = '<='

    @property
    def holds(self) -> bool:
        """Whether the ratio is on the right side of its limit."""
        if self.relation == '<=':
            return self.ratio <= self.limit
        return self.ratio >= self.limit


def make_parser(doc: str | None) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has.

    Args:
        doc (str, optional): The benchmark's own text.
    """
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'])
    parser.add_argument('--threads', type=int,
                        help='threads of torch on the CPU (default: its own)')
    parser.add_argument('--rounds', type=int,
                        help='how often every variant is measured')
    parser.add_argument('--steps', type=int, help='steps in a block')
    parser.add_argument('--quick', action='store_true',
                        help='tiny sizes: shows that it runs, measures nothing')
    parser.add_argument('--check', action='store_true',
                        help='leave with 1 if a promised ratio does not hold')
    parser.add_argument('--out', type=Path, help='write the numbers to a JSON '
                        'file')
    return parser


def prepare(args: argparse.Namespace, **defaults: int | None) -> None:
    """Fill in the defaults that depend on ``--quick`` and set the threads."""
    for name, value in defaults.items():
        if getattr(args, name, None) is None:
            setattr(args, name, value)
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)


def clock(run: Callable[[], Any], steps: int, device: str) -> float:
    """Seconds a step of a block of steps.

    The device is waited for around the block, not within it.
    """
    _wait_for(device)
    start = time.perf_counter()
    for _ in range(steps):
        run()
    _wait_for(device)
    return (time.perf_counter() - start) / steps


def _wait_for(device: str) -> None:
    if device == 'cuda':
        torch.cuda.synchronize()


def interleave(variants: dict[str, Callable[[], float]],
               rounds: int) -> dict[str, list[float]]:
    """Measure all variants once a round, every other round backwards.

    Args:
        variants (dict): Functions that run a block and return seconds a step.
        rounds (int): Number of rounds.

    Returns:
        dict[str, list[float]]: Seconds a step, a value a round.
    """
    times: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds):
        order = list(variants)
        for name in order if number % 2 == 0 else order[::-1]:
            times[name].append(variants[name]())
    return times


def take_turns(runs: dict[str, Callable[[], Any]],
               args: argparse.Namespace) -> dict[str, list[float]]:
    """Time steps of all variants, after rounds that are thrown away.

    Args:
        runs (dict): Functions that run one step.
        args (Namespace): With the number of ``steps`` in a block, of
            ``rounds`` and, if it is not one, of ``warmup`` rounds.

    Returns:
        dict[str, list[float]]: Seconds a step, a value a round.
    """
    blocks = {name: lambda run=run: clock(run, args.steps, args.device)
              for name, run in runs.items()}
    interleave(blocks, getattr(args, 'warmup', 1))
    return interleave(blocks, args.rounds)


@contextmanager
def quiet_host(tuned: bool = False) -> Iterator[None]:
    """The host's scope, without a log line for every weight it sets.

    Freed memory stays with the process, as in a run with ``HeapHook``.

    Args:
        tuned (bool): Whether cuDNN looks for its fastest algorithms, as it
            does in the recipes. Defaults to False.
    """
    if tuned:
        torch.backends.cudnn.benchmark = True
    keep_freed_memory()
    MMLogger.get_current_instance().setLevel('WARNING')
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


def paired_ratio(times: list[float], base: list[float]) -> float:
    """Median over the rounds of the quotient of two variants."""
    return median(a / b for a, b in zip(times, base, strict=True))


def timing_row(part: str, variant: str, times: list[float], images: int,
               base: list[float]) -> dict[str, Any]:
    """One line of a table.

    Args:
        part (str): What the variant belongs to.
        variant (str): Its name.
        times (list[float]): Seconds a step, a value a round.
        images (int): Images a step.
        base (list[float]): What it is compared with, the same rounds.
    """
    middle = median(times)
    return dict(
        part=part, variant=variant, ms=1e3 * middle,
        images_per_s=images / middle, time_ratio=paired_ratio(times, base),
        all_ms=[1e3 * t for t in times])


def machine_facts(device: str) -> dict[str, Any]:
    """Machine, versions and commit, as in the results of a run."""
    load = os.getloadavg()[0] if hasattr(os, 'getloadavg') else None
    return dict(device=device, hardware=hardware(), load_average=load,
                versions=versions(), git_commit=git_commit())


def render(rows: list[dict]) -> str:
    """Markdown table of the timings."""
    lines = ['| part | variant | ms a step | images/s | time ratio |',
             '|---|---|---:|---:|---:|']
    for row in rows:
        if 'error' in row:
            lines.append(f'| {row["part"]} | {row["variant"]} | failed: '
                         f'{row["error"]} | | |')
            continue
        lines.append(
            f'| {row["part"]} | {row["variant"]} | {row["ms"]:.3f} | '
            f'{row["images_per_s"]:,.0f} | {row["time_ratio"]:.3f} |')
    return '\n'.join(lines)


def write_json(path: Path, content: dict) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, f'{json.dumps(content, indent=2)}\n'.encode())


def setting(value: Any) -> Any:
    """An option for the file: places of this machine by their names alone."""
    is_place = isinstance(value, Path) or (
        isinstance(value, str) and os.path.isabs(value))
    return Path(value).name if is_place else value


def report(name: str, args: argparse.Namespace, facts: dict, rows: list[dict],
           promises: list[Promise], **more: Any) -> int:
    """Print the table and the promises, write the file.

    Args:
        name (str): Name of the benchmark.
        args (Namespace): Its options, kept as settings.
        facts (dict): :func:`machine_facts`, taken before the work began.
        rows (list[dict]): :func:`timing_row` of every variant.
        promises (list[Promise]): What ``--check`` looks at.
        **more (Any): Other contents of the file.

    Returns:
        int: Exit code, 1 if ``--check`` was given and a promise broken.
    """
    settings = {key: setting(value) for key, value in vars(args).items()}
    content = dict(
        benchmark=name, settings=settings, **facts, rows=rows, **more,
        promises=[dict(p._asdict(), holds=p.holds) for p in promises])
    print(f'{hardware_name(facts)}, load {facts["load_average"]} before the '
          f'start\n\n{render(rows)}\n')
    for promise in promises:
        print(f'{"holds " if promise.holds else "BROKEN"} {promise.name}: '
              f'{promise.ratio:.3f} {promise.relation} {promise.limit}')
    if args.out:
        write_json(args.out, content)
    broken = not all(promise.holds for promise in promises)
    return 1 if args.check and broken else 0
