"""Time the batched pretext transform and crop against loops over the images.

    python tools/benchmarks/pretext_transform.py --threads 1 --check

The loops do what a script that goes through a batch image by image does: draw,
cut the quadrant out, mirror, turn, reorder the channels, put it back. Both
forms are shown to give the same bits from the same draws before they are timed,
and the tensor operations of the batched one are counted for two batch sizes:
they must not grow with the batch.

Promised on one thread of a CPU, for the transform of 128 images with drawing
and labelling: at 32x32 at least 5 times as fast as the loop. At 64x64 both
forms spend most of their time on moving the images: at least 1.5 times.
"""
import argparse
import random
import sys
from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from bench_common import (
    Promise,
    machine_facts,
    make_parser,
    paired_ratio,
    prepare,
    report,
    take_turns,
    timing_row,
)
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from gssl_mm.models.pretext import PretextTransform
from gssl_mm.models.utils import RandomCropFlip
from gssl_mm.tooling.errors import run_tool

TASKS = [dict(type='gssl_mm.LocalRotation'),
         dict(type='gssl_mm.LocalFlip', axis='vertical'),
         dict(type='gssl_mm.LocalChannelPermutation')]
ORDERS = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
# Side of the images: how much faster than the loop
SPEEDUPS = {32: 5.0, 64: 1.5}


class OperationCounter(TorchDispatchMode):
    """Count the tensor operations that run inside."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Count one operation and run it."""
        self.count += 1
        return func(*args, **(kwargs or {}))


def random_draws(n: int) -> Iterable[tuple[int, int, int, int]]:
    """Quadrant, turns, flip and channel order of one image after another."""
    for _ in range(n):
        yield (random.randrange(4), random.randrange(4), random.randrange(2),
               random.randrange(6))


def loop_transform(images: Tensor, draws: Iterable | None = None
                   ) -> tuple[Tensor, Tensor]:
    """Transform image by image.

    Args:
        images (Tensor): ``(N, 3, S, S)``.
        draws (Iterable, optional): (quadrant, turns, flip, order) an image.
            Defaults to None: drawn image by image.
    """
    out, labels, half = images.clone(), [], images.size(2) // 2
    draws = random_draws(len(images)) if draws is None else draws
    for image, (quadrant, turns, mirrored, order) in zip(
            out, draws, strict=True):
        top, left = quadrant // 2 * half, quadrant % 2 * half
        patch = image[:, top:top + half, left:left + half]
        moved = patch.flip(1) if mirrored else patch
        moved = moved.rot90(turns, (1, 2))[ORDERS[order]]
        image[:, top:top + half, left:left + half] = moved
        labels.append((4 * quadrant + turns, mirrored, order))
    return out, torch.tensor(labels).to(images.device)


def loop_crop_flip(images: Tensor, padding: int, draws: Iterable | None = None
                   ) -> Tensor:
    """Pad, crop and mirror image by image.

    Args:
        images (Tensor): ``(N, C, S, S)``.
        padding (int): Pixels on every side.
        draws (Iterable, optional): (row offset, column offset, flip) an image.
            Defaults to None: drawn image by image.
    """
    out, size = [], images.size(2)
    draws = draws or ((random.randint(-padding, padding),
                       random.randint(-padding, padding), random.random() < .5)
                      for _ in range(len(images)))
    for image, (row, column, mirrored) in zip(images, draws, strict=True):
        top, left = row + padding, column + padding
        image = F.pad(image, (padding, ) * 4)
        image = image[:, top:top + size, left:left + size]
        out.append(image.flip(2) if mirrored else image)
    return torch.stack(out)


def require_equal(got: Tensor, wanted: Tensor, name: str) -> None:
    """Stop a benchmark whose two sides do different things."""
    if not torch.equal(got, wanted):
        raise ArithmeticError(
            f'{name}: batch and loop differ in '
            f'{int((got != wanted).sum())} of {got.numel()} values.')


def transform_pair(size: int, args: argparse.Namespace) -> dict[str, Callable]:
    """Batch and loop of the three tasks, after they were compared."""
    images = torch.rand(args.images, 3, size, size, device=args.device)
    transform = PretextTransform(TASKS)
    draw = transform.sample(len(images), (size, size))
    quadrants, params = draw.region[:, 0].tolist(), draw.params.tolist()
    looped, labels = loop_transform(
        images, [(q, *row) for q, row in zip(quadrants, params, strict=True)])
    moved = type(draw)(*(part.to(images.device) for part in draw))
    require_equal(transform.apply(images, moved), looped, 'transform')
    require_equal(transform.labels(moved), labels, 'labels')
    return {'batch': lambda n=None: transform(images[:n]),
            'loop': lambda: loop_transform(images)}


def crop_pair(size: int, args: argparse.Namespace) -> dict[str, Callable]:
    """Batch and loop of crop and flip, after they were compared."""
    images = torch.randint(256, (args.images, 3, size, size),
                           dtype=torch.uint8, device=args.device)
    crop = RandomCropFlip(padding=4)
    draws = crop.sample(len(images), None)
    looped = loop_crop_flip(
        images, 4, list(zip(*(d.tolist() for d in draws), strict=True)))
    batched = crop.apply(images, *(d.to(args.device) for d in draws))
    require_equal(batched, looped, 'crop and flip')
    return {'batch': lambda n=None: crop(images[:n]),
            'loop': lambda: loop_crop_flip(images, 4)}


def count_operations(run: Callable, n: int) -> int:
    """Tensor operations of a call on the first ``n`` images."""
    with OperationCounter() as counter:
        run(n)
    return counter.count


def compare(part: str, pair: dict[str, Callable], args: argparse.Namespace,
            limit: float | None) -> tuple[list[dict], list[Promise], dict]:
    """Count and time one pair, and promise a speed over the loop's."""
    few, many = (count_operations(pair['batch'], n)
                 for n in (args.images // 4, args.images))
    times = take_turns(pair, args)
    rows = [timing_row(part, name, times[name], args.images, times['loop'])
            for name in pair]
    speedup = paired_ratio(times['loop'], times['batch'])
    rows[0]['speedup'] = speedup
    promises = [Promise(f'{part}: operations of {args.images} images over '
                        f'those of {args.images // 4}', many / few, 1.0)]
    if limit is not None:
        promises.insert(0, Promise(
            f'{part}: speed over that of the loop', speedup, limit, '>='))
    return rows, promises, {part: many}


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('--images', type=int, help='images in a batch '
                        '(default: 128)')
    parser.add_argument('--sizes', type=int, nargs='+', default=[32, 64],
                        help='sides of the images in pixels')
    args = parser.parse_args(argv)
    quick = dict(rounds=2, steps=1, images=8)
    full = dict(rounds=31, steps=20, images=128)
    prepare(args, **(quick if args.quick else full))
    return args


def main(argv: list[str] | None = None) -> int:
    """Compare, time and report."""
    args = parse_args(argv)
    facts = machine_facts(args.device)
    rows, promises, operations = [], [], {}
    for name, make, limits in (('transform', transform_pair, SPEEDUPS),
                               ('crop and flip', crop_pair, {})):
        for size in args.sizes:
            found = compare(f'{name} {size}x{size}', make(size, args), args,
                            limits.get(size))
            rows += found[0]
            promises += found[1]
            operations.update(found[2])
    return report('pretext_transform', args, facts, rows, promises,
                  tensor_operations=operations)


if __name__ == '__main__':
    sys.exit(run_tool(main))
