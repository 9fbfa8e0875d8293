"""Time RandAugment + Cutout on a batch against per-sample pipelines.

    python tools/benchmarks/rand_augment.py --threads 1 --check

Every variant gets 448 images of 32x32 (the strong views of a FixMatch step) and
draws for itself: two operations an image out of 14, each with probability one
half, a strength for each, and a square of 16 pixels.

- batch: ``BatchRandAugment`` on uint8 images, and on float ones
- host: MMPretrain's ``RandAugment`` (nearest neighbour, like the batch) and
  ``Cutout`` in a pipeline, image by image; packing is not counted
- pillow: the same draws as the batch, run by Pillow image by image, which
  gives the same bits

Promised on one thread: the batch at least 3 times the images a second of the
host's pipeline. On a GPU the batch runs there, and the others on the CPU.
"""
import argparse
import sys
from collections.abc import Callable

import numpy as np
import torch
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
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from PIL import Image

from gssl_mm.datasets.transforms import PillowAugment
from gssl_mm.models.utils import BatchRandAugment
from gssl_mm.tooling.errors import run_tool

SPEEDUP = 3.0
FACTOR = dict(magnitude_range=(0, 0.9))
NEAREST = dict(interpolation='nearest')
HOST_POOL = [
    # Never applied: the host has no Identity
    dict(type='AutoContrast', prob=0.),
    dict(type='AutoContrast'),
    dict(type='Equalize'),
    dict(type='Rotate', magnitude_range=(0, 30), **NEAREST),
    dict(type='Solarize', magnitude_range=(256, 0)),
    dict(type='ColorTransform', **FACTOR),
    dict(type='Contrast', **FACTOR),
    dict(type='Brightness', **FACTOR),
    dict(type='Sharpness', **FACTOR),
    *[dict(type='Shear', magnitude_range=(0, 0.3), direction=direction,
           **NEAREST) for direction in ('horizontal', 'vertical')],
    *[dict(type='Translate', magnitude_range=(0, 0.3), direction=direction,
           **NEAREST) for direction in ('horizontal', 'vertical')],
    dict(type='Posterize', magnitude_range=(8, 4)),
]


def host_pipeline() -> Compose:
    """The host's transforms of the same kind and number."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return Compose([
            dict(type='RandAugment', policies=HOST_POOL, num_policies=2,
                 magnitude_level=10, magnitude_std='inf'),
            dict(type='Cutout', shape=16, pad_val=128, prob=1.)])


def pillow_loop(images: np.ndarray, batch: BatchRandAugment
                ) -> Callable[[], list]:
    """Draw as the batch does, run image by image."""
    reference = PillowAugment(dict(type='gssl_mm.BatchRandAugment'))

    def run() -> list:
        draws = batch.sample(len(images), images.shape[1:3], None)
        return [np.asarray(reference.run(
            Image.fromarray(image), *(draw[i:i + 1] for draw in draws)))
            for i, image in enumerate(images)]

    return run


def require_equal(images: np.ndarray, batch: BatchRandAugment,
                  pillow: Callable[[], list], device: str) -> None:
    """Stop a benchmark whose two sides do different things."""
    torch.manual_seed(0)
    wanted = np.stack(pillow())
    torch.manual_seed(0)
    got = batch(torch.from_numpy(images).permute(0, 3, 1, 2).to(device))
    different = int((got.permute(0, 2, 3, 1).cpu().numpy() != wanted).sum())
    if different:
        raise ArithmeticError(
            f'batch and Pillow differ in {different} of {got.numel()} values.')


def make_variants(args: argparse.Namespace) -> dict[str, Callable]:
    """What is timed, after batch and Pillow were compared."""
    rng = np.random.default_rng(0)
    images = rng.integers(
        0, 256, (args.images, args.size, args.size, 3)).astype(np.uint8)
    batch, host = BatchRandAugment('fm'), host_pipeline()
    pillow = pillow_loop(images, batch)
    require_equal(images, batch, pillow, args.device)
    integers = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    integers = integers.to(args.device)
    floats = integers.float()
    return {'host': lambda: [host(dict(img=image)) for image in images],
            'pillow': pillow,
            'batch': lambda: batch(integers),
            'batch, float images': lambda: batch(floats)}


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('--images', type=int, help='images in a batch '
                        '(default: 448)')
    parser.add_argument('--size', type=int, default=32,
                        help='side of the images in pixels')
    args = parser.parse_args(argv)
    quick = dict(rounds=2, steps=1, images=16)
    full = dict(rounds=21, steps=5, images=448)
    prepare(args, **(quick if args.quick else full))
    return args


def main(argv: list[str] | None = None) -> int:
    """Compare, time and report."""
    args = parse_args(argv)
    facts = machine_facts(args.device)
    runs = make_variants(args)
    times = take_turns(runs, args)
    part = f'{args.size}x{args.size}'
    rows = [timing_row(part, name, times[name], args.images, times['host'])
            for name in runs]
    promise = Promise("batch: images a second over those of the host's "
                      'pipeline', paired_ratio(times['host'], times['batch']),
                      SPEEDUP, '>=')
    return report('rand_augment', args, facts, rows, [promise])


if __name__ == '__main__':
    sys.exit(run_tool(main))
