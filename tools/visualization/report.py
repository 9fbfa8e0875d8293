"""Write one self-contained HTML page about one or several runs.

Usage:
    python tools/visualization/report.py WORK_DIR [WORK_DIR ...]
        [--out report.html] [--no-models] [--images FILE_OR_FOLDER ...]

The page needs no network: curves of losses, accuracies, learning rate and
gates, pretext accuracies, classes, the difference of the configs, the
environment; and, with the runs' checkpoints and test data, where the models
look, their features, confusions and calibration. What is not there is named on
the page. NAME= in front of a work dir names the run. Runs may be going on.

Example:
    python tools/demo.py
    python tools/visualization/report.py demo_out/runs/*
"""
import argparse
import sys
from pathlib import Path

from gssl_mm.tooling.arguments import CfgOptions
from gssl_mm.tooling.errors import run_tool


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('runs', nargs='+', metavar='WORK_DIR')
    parser.add_argument('--out', type=Path, default=Path('report.html'),
                        help='where to (default: report.html)')
    parser.add_argument('--title', default='')
    parser.add_argument('--no-models', action='store_true',
                        help='load no checkpoint and no data')
    parser.add_argument('--checkpoint', choices=['last', 'best'],
                        default='last')
    parser.add_argument('--method', choices=['gradcam', 'cam'],
                        default='gradcam', help='of showing where they look')
    parser.add_argument('--images', nargs='+', default=[],
                        help='files and folders to look at, instead of one '
                        'test image a class')
    parser.add_argument('--num', type=int, default=10,
                        help='images to look at (default: 10)')
    parser.add_argument('--per-class', type=int, default=100,
                        help='test images a class of the embedding, the '
                        'confusions, the calibration (default: 100)')
    parser.add_argument('--seed', type=int, default=0,
                        help='of the choice of images and of the embedding')
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions,
                        help='key=value, changes of every config, where the '
                        'data lies for instance')
    return parser.parse_args()


def main() -> None:
    """Write the page."""
    args = parse_args()
    from gssl_mm.visualization.report import LookOptions, write_page
    from gssl_mm.visualization.run_record import read_runs
    from gssl_mm.visualization.trained_model import split_name
    runs = read_runs([split_name(source) for source in args.runs])
    options = None if args.no_models else LookOptions(
        args.per_class, args.num, args.images, args.method, args.checkpoint,
        args.seed, args.cfg_options)
    print(write_page(runs, args.out, options, args.title))


if __name__ == '__main__':
    sys.exit(run_tool(main))
