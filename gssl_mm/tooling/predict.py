"""Predict the classes of image files and write them as CSV.

One row an image: its path, the label, the name of the class if it is known,
the score, and with --all-scores the score of every class.
"""
import argparse
import csv
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, TextIO

from .arguments import CONFIG_HELP, CfgOptions
from .errors import OptionError, run_tool
from .export import find_model

EXAMPLE = """example:
  python tools/predict.py gssl_demo --images my_pictures --out predictions.csv
  python tools/predict.py configs/gssl/resnet32_cifar10lt.py \\
      work_dirs/resnet32_cifar10lt/epoch_200.pth --images a.png b.png
"""


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog='predict.py', description=__doc__, epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('model', help=f'{CONFIG_HELP}; or the name of a model '
                        'that comes with weights')
    parser.add_argument('checkpoint', nargs='?',
                        help="checkpoint file (default: a named model's own)")
    parser.add_argument('--images', nargs='+', required=True,
                        help='files, and folders that are searched for images')
    parser.add_argument('--out', help='CSV file (default: standard output)')
    parser.add_argument('--batch-size', type=int, default=32,
                        help='images at a time (default: 32)')
    parser.add_argument('--all-scores', action='store_true',
                        help='a column with the score of each class')
    parser.add_argument('--device', help='cpu, cuda, cuda:1 ... (default: a '
                        'GPU if there is one)')
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions,
                        help='overrides of the config, key=value')
    return parser


def _rows(files: list[str], results: list[dict],
          all_scores: bool) -> Iterator[list]:
    for file, result in zip(files, results, strict=True):
        scores = result['pred_scores'].tolist() if all_scores else []
        yield [file, result['pred_label'], result.get('pred_class', ''),
               f'{result["pred_score"]:.6f}', *(f'{s:.6f}' for s in scores)]


def write_csv(stream: TextIO, files: list[str], results: list[dict],
              classes: Any, all_scores: bool) -> None:
    """Write predictions with a header."""
    writer = csv.writer(stream, lineterminator='\n')
    names = range(len(results[0]['pred_scores'])) if all_scores else ()
    columns = [f'score_{classes[i] if classes else i}' for i in names]
    writer.writerow(['image', 'label', 'class', 'score', *columns])
    writer.writerows(_rows(files, results, all_scores))


def predict(args: argparse.Namespace) -> tuple[list[str], list[dict], Any]:
    """Files, their predictions and the names of the classes."""
    from mmengine.device import get_device

    from gssl_mm.apis import ImageInferencer, find_images, get_model

    from .key_check import apply_options
    files = [file for source in args.images for file in find_images(source)]
    cfg, checkpoint = find_model(args.model, args.checkpoint)
    apply_options(cfg, args.cfg_options)
    model = get_model(cfg, checkpoint, args.device or get_device())
    inferencer = ImageInferencer(model)
    results = inferencer(files, batch_size=args.batch_size)
    return files, results, inferencer.classes


def main(argv: list[str] | None = None) -> None:
    """Predict as the command line says."""
    args = build_parser().parse_args(argv)
    if args.batch_size < 1:
        raise OptionError(
            f'--batch-size must be at least 1, but got {args.batch_size}.')
    # The host's progress bar and notes are no part of the table
    with redirect_stdout(sys.stderr):
        files, results, classes = predict(args)
    if not args.out:
        write_csv(sys.stdout, files, results, classes, args.all_scores)
        return
    out = Path(args.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with open(out, 'w', newline='') as stream:
        write_csv(stream, files, results, classes, args.all_scores)


if __name__ == '__main__':
    sys.exit(run_tool(main))
