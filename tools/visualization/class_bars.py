"""Draw the class distribution of configs, or the accuracies of runs.

Usage:
    python tools/visualization/class_bars.py CONFIG [CONFIG ...] [--log]
    python tools/visualization/class_bars.py WORK_DIR [WORK_DIR ...]
        [--out class_bars.png]

For configs: training images a class, in descending order, a panel a config
(Figure 5 of Mixture of Self-Supervised Learning). For work dirs: the accuracy
of each class over its training images, from per_class_accuracy.csv. NAME= in
front of either names it.

Example:
    python tools/visualization/class_bars.py configs/gssl/demo_gssl_synthetic.py
"""
import argparse
import sys
from pathlib import Path

from gssl_mm.tooling.arguments import CfgOptions
from gssl_mm.tooling.errors import OptionError, run_tool


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('sources', nargs='+', metavar='CONFIG|WORK_DIR')
    parser.add_argument('--out', type=Path, default=Path('class_bars.png'))
    parser.add_argument('--log', action='store_true',
                        help='logarithmic axis of the counts')
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions)
    return parser.parse_args()


def main() -> None:
    """Draw."""
    args = parse_args()
    from gssl_mm.visualization.class_bars import plot_class_tables
    from gssl_mm.visualization.class_counts import (
        plot_class_counts,
        read_class_counts,
    )
    from gssl_mm.visualization.trained_model import split_name
    named = [split_name(source) for source in args.sources]
    if all(Path(source).is_dir() for _, source in named):
        if args.log or args.cfg_options:
            raise OptionError('--log and --cfg-options are for configs: leave '
                              'them out with work dirs.')
        files = plot_class_tables(
            {name or Path(source).name: source for name, source in named},
            args.out)
    else:
        from gssl_mm.tooling.config_file import read_config
        from gssl_mm.tooling.key_check import apply_options
        counts = {}
        for name, source in named:
            cfg = read_config(source)
            apply_options(cfg, args.cfg_options)
            counts[name or Path(source).stem] = read_class_counts(cfg)[1]
        files = plot_class_counts(counts, args.out, args.log)
    for file in files:
        print(file)


if __name__ == '__main__':
    sys.exit(run_tool(main))
