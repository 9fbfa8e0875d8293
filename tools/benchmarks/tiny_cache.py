"""Time an image from the cache of Tiny-ImageNet against decoding its JPEG file.

    python tools/benchmarks/tiny_cache.py --threads 1 --check [--data-root DIR]

Without ``--data-root``, an archive of smooth images is written to a temporary
folder. No transforms run in either: what is fetched is a copy of its own, as a
pipeline gets it; what is decoded is the content of a file, held in memory, and
its colours are brought to RGB. Reading the file as well is a line of its own.
Images are visited in one random order, and those of a batch of 128 are held at
a time, as a loader does; they are equal bit for bit.

Promised on one core: fetching an image at least 10 times faster than decoding.
"""
import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import mmcv
import numpy as np
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
from PIL import Image

from gssl_mm.datasets import TinyImageNet
from gssl_mm.datasets.tiny_imagenet import SIZE, read_rgb
from gssl_mm.tooling.errors import run_tool

SPEEDUP, BATCH = 10.0, 128


def write_archive(root: Path, images: int) -> None:
    """Write two classes of smooth colour images, about 2 kB each."""
    rng = np.random.default_rng(0)
    axis = np.linspace(0, 2 * np.pi, SIZE)
    wnids = ['n00000001', 'n00000002']
    (root / 'wnids.txt').write_text('\n'.join(wnids))
    for number in range(images):
        folder = root / 'train' / wnids[number % 2] / 'images'
        folder.mkdir(parents=True, exist_ok=True)
        rows, cols, phase = rng.uniform(0, 5, (3, 3))
        waves = np.sin(axis[:, None, None] * rows + axis[:, None] * cols
                       + phase) * 90 + 128
        pixels = waves + rng.normal(0, 6, (SIZE, SIZE, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(
            folder / f'{number}.JPEG', 'JPEG', quality=90)


def decode(data: bytes) -> np.ndarray:
    """Decode the content of a file to RGB, in an array of its own."""
    image = mmcv.imfrombytes(data, flag='color')
    return np.ascontiguousarray(image[..., ::-1])


def make_variants(dataset: TinyImageNet, files: list[str]
                  ) -> dict[str, Callable]:
    """Ways to the same images, after they were compared.

    Args:
        dataset (TinyImageNet): With the images in the cache.
        files (list[str]): The file of each of its images.
    """
    contents = [Path(file).read_bytes() for file in files]
    for number, data in enumerate(contents):
        if not np.array_equal(dataset.images[number], decode(data)):
            raise ArithmeticError(
                f'{files[number]} and its image in the cache differ')
    order = np.random.default_rng(0).permutation(len(files)).tolist()
    batches = [order[i:i + BATCH] for i in range(0, len(order), BATCH)]

    def visit(get: Callable) -> Callable:
        def run() -> None:
            for batch in batches:
                list(map(get, batch))
        return run

    return {
        'fetch': visit(lambda number: dataset.get_data_info(number)['img']),
        'decode': visit(lambda number: decode(contents[number])),
        'read and decode': visit(lambda number: read_rgb(files[number])),
    }


def load(args: argparse.Namespace, folder: str
         ) -> tuple[TinyImageNet, list[str]]:
    """Open the cache of a part of the training images, and list its files."""
    if args.data_root is None:
        write_archive(Path(folder), args.images)
    dataset = TinyImageNet(
        str(args.data_root or folder), cache_dir=str(Path(folder) / 'cache'),
        lazy_init=True)
    files, _ = dataset._train_files(sorted(dataset._lines('wnids.txt')))
    dataset.full_init()
    args.images = min(args.images, len(files))
    # A slice stays mapped, and the middle is no worse than the beginning
    first = (len(files) - args.images) // 2
    picked = slice(first, first + args.images)
    dataset.images = dataset.images[picked]
    dataset.labels = dataset.labels[picked]
    return dataset, files[picked]


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('--data-root', type=Path,
                        help='folder with wnids.txt and train')
    parser.add_argument('--images', type=int,
                        help='images that are visited (default: 10000)')
    args = parser.parse_args(argv)
    quick = dict(rounds=2, steps=1, images=20)
    full = dict(rounds=15, steps=1, images=10000)
    prepare(args, **(quick if args.quick else full))
    return args


def main(argv: list[str] | None = None) -> int:
    """Compare, time and report."""
    args = parse_args(argv)
    cv2.setNumThreads(0)
    facts = machine_facts(args.device)
    with tempfile.TemporaryDirectory() as folder:
        variants = make_variants(*load(args, folder))
        times = take_turns(variants, args)
    rows = [timing_row('image', name, times[name], args.images,
                       times['decode']) for name in variants]
    speedup = paired_ratio(times['decode'], times['fetch'])
    return report('tiny_cache', args, facts, rows, [Promise(
        'fetching an image: speed over that of decoding it', speedup, SPEEDUP,
        '>=')])


if __name__ == '__main__':
    sys.exit(run_tool(main))
