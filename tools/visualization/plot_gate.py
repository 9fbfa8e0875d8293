"""Plot gate weights over training from one or more work dirs.

Usage:
    python tools/visualization/plot_gate.py work_dirs/NAME/seed0 [MORE ...]
        [--out gate.png] [--axis epoch] [--title TEXT]

Reads ``*/vis_data/scalars.json`` of each work dir (all of them, for a run that
was resumed) or a ``scalars.json`` given by name; writes PNG and SVG.

Example:
    python tools/demo.py
    python tools/visualization/plot_gate.py demo_out/runs/demo_gssl_synthetic
"""
import argparse
import sys
from pathlib import Path

from gssl_mm.tooling.errors import run_tool


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('runs', nargs='+', type=Path,
                        help='work dirs or scalars.json files')
    parser.add_argument('--out', type=Path, default=Path('gate.png'),
                        help='where to (default: gate.png, and gate.svg)')
    parser.add_argument('--axis', choices=['iter', 'epoch'], default='epoch')
    parser.add_argument('--title', default='')
    return parser.parse_args()


def name_runs(paths: list[Path]) -> list[str]:
    """Short names of runs that differ."""
    short = [path.resolve().name for path in paths]
    if len(set(short)) == len(short):
        return short
    return ['/'.join(path.resolve().parts[-2:]) for path in paths]


def main() -> None:
    """Plot."""
    args = parse_args()
    from gssl_mm.visualization.gate_curve import (
        plot_gate_curves,
        read_gate_curve,
    )
    runs = {name: read_gate_curve(path, args.axis) for name, path in zip(
        name_runs(args.runs), args.runs, strict=True)}
    for file in plot_gate_curves(runs, args.out, args.axis, args.title):
        print(file)


if __name__ == '__main__':
    sys.exit(run_tool(main))
