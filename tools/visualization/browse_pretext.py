r"""Draw what a config's pretext tasks do to its images, with the labels.

Usage:
    python tools/visualization/browse_pretext.py CONFIG [--num 12]
        [--out pretext.png] [--phase train] [--seed 0] [--cfg-options K=V ...]

Each pair is an image of the config's data and its transformation; an orange
frame marks the quadrant. Writes PNG and SVG.

Example:
    python tools/visualization/browse_pretext.py \
        configs/gssl/demo_gssl_synthetic.py
"""
import argparse
import sys
from pathlib import Path

from gssl_mm.tooling.arguments import CONFIG_HELP, CfgOptions
from gssl_mm.tooling.errors import run_tool


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help=CONFIG_HELP)
    parser.add_argument('--num', type=int, default=12, help='images')
    parser.add_argument('--cols', type=int, default=4, help='pairs a row')
    parser.add_argument('--out', type=Path, default=Path('pretext.png'))
    parser.add_argument('--phase', choices=['train', 'val', 'test'],
                        default='train', help='whose images')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions)
    return parser.parse_args()


def main() -> None:
    """Draw."""
    args = parse_args()
    from gssl_mm.tooling.config_file import read_config
    from gssl_mm.tooling.key_check import check_config_keys, merge_options
    from gssl_mm.tooling.pretext_browser import browse
    cfg = read_config(args.config)
    merge_options(cfg, args.cfg_options)
    check_config_keys(cfg)
    for file in browse(cfg, args.out, args.phase, args.num, args.cols,
                       args.seed):
        print(file)


if __name__ == '__main__':
    sys.exit(run_tool(main))
