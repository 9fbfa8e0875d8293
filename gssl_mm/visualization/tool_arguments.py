"""Options that the tools with models and images share."""
import argparse
import json
import math
from pathlib import Path
from typing import Any

from gssl_mm.atomic_io import atomic_write
from gssl_mm.tooling.arguments import CfgOptions

from .errors import SampleError
from .samples import (
    Samples,
    from_dataset,
    from_files,
    labels_of,
    one_per_class,
    plain_dataset,
    stratified,
)
from .trained_model import SOURCE_HELP, TrainedModel, preprocessor_of


def make_parser(doc: str, out: str) -> argparse.ArgumentParser:
    """Parser with models, ``--out --checkpoint --seed --cfg-options``."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('models', nargs='+', metavar='MODEL',
                        help=SOURCE_HELP)
    parser.add_argument('--out', type=Path, default=Path(out),
                        help=f'where to (default: {out}); PNG and SVG are '
                        'written')
    parser.add_argument('--checkpoint', choices=['last', 'best'],
                        default='last', help='which one of a work dir '
                        '(default: last)')
    parser.add_argument('--phase', choices=['train', 'val', 'test'],
                        default='test', help='whose images (default: test); '
                        'augmentation is left out')
    parser.add_argument('--seed', type=int, default=0,
                        help='of the choice of images (default: 0)')
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions,
                        help='key=value, changes of every config')
    return parser


def add_per_class(parser: argparse.ArgumentParser, default: int) -> None:
    """Add ``--per-class``."""
    parser.add_argument(
        '--per-class', type=int, default=default,
        help=f'images a class, chosen by the seed (default: {default})')


def to_rgb(model: TrainedModel) -> bool:
    """Whether the images of a config are BGR."""
    return bool(preprocessor_of(model.cfg).get('to_rgb'))


def labelled_samples(models: list[TrainedModel],
                     args: argparse.Namespace) -> Samples:
    """Equally many images a class of the first model's data."""
    first = models[0]
    dataset = plain_dataset(first.cfg, args.phase)
    picked = stratified(labels_of(dataset), args.per_class, args.seed)
    return from_dataset(dataset, picked, to_rgb(first))


def shown_samples(models: list[TrainedModel],
                  args: argparse.Namespace) -> Samples:
    """The images of ``--images``, ``--indices``, or one a class.

    Raises:
        SampleError: Both were given.
    """
    first = models[0]
    if args.images and args.indices:
        raise SampleError('--images and --indices exclude each other.')
    if args.images:
        return from_files(args.images, args.size or _side(first),
                          args.num if args.num else 64)
    dataset = plain_dataset(first.cfg, args.phase)
    positions = args.indices or one_per_class(
        labels_of(dataset), args.num or 10, args.seed)
    return from_dataset(dataset, positions, to_rgb(first))


def _side(model: TrainedModel) -> int:
    """Side of the images that a model is tested on."""
    try:
        dataset = plain_dataset(model.cfg, 'test')
        return int(dataset[0]['inputs'].shape[-1])
    except OSError as error:
        raise SampleError(
            'the side of the images is read from the test data, which is not '
            f'there ({error}). Give it: --size 32.') from error


def write_json(path: Path, content: Any) -> Path:
    """Write numbers beside a figure, ``figure.json``; nan becomes null."""
    path = path.with_suffix('.json') if path.suffix in (
        '.png', '.svg') else path.with_name(f'{path.name}.json')
    atomic_write(path, (json.dumps(plain_numbers(content), indent=2) + '\n'
                        ).encode())
    return path


def plain_numbers(content: Any) -> Any:
    """Replace what JSON lacks: nan and infinity by None."""
    if isinstance(content, dict):
        return {str(k): plain_numbers(v) for k, v in content.items()}
    if isinstance(content, list | tuple):
        return [plain_numbers(v) for v in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content


__all__ = [
    'add_per_class', 'labelled_samples', 'make_parser', 'plain_numbers',
    'shown_samples', 'to_rgb', 'write_json'
]
