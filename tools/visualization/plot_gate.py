"""Plot gate weights over training, of runs or of a study of gates.

Usage:
    python tools/visualization/plot_gate.py work_dirs/NAME/seed0 [MORE ...]
        [--out gate.png] [--axis epoch] [--title TEXT]
    python tools/visualization/plot_gate.py --study STUDY.json [--what agree]

Reads ``*/vis_data/scalars.json`` of each work dir (all of them, for a run that
was resumed) or a ``scalars.json`` given by name; writes PNG and SVG. Of a study
(the JSON file that tools/benchmarks/gate_study.py writes) each gate gets a
panel, with means over seeds: ``--axis iter`` is every iteration of the first
epoch, ``--what`` may ask for agreements or the tasks' accuracies and losses.

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
    parser.add_argument('runs', nargs='*', type=Path,
                        help='work dirs or scalars.json files')
    parser.add_argument('--study', type=Path, metavar='JSON',
                        help='of gate_study.py, instead of runs')
    parser.add_argument('--what', default='gate',
                        choices=['gate', 'agree', 'acc', 'ce'],
                        help='of a study (default: gate)')
    parser.add_argument('--out', type=Path, default=Path('gate.png'),
                        help='where to (default: gate.png, and gate.svg)')
    parser.add_argument('--axis', choices=['iter', 'epoch'], default='epoch')
    parser.add_argument('--title', default='')
    args = parser.parse_args()
    if bool(args.runs) == bool(args.study):
        parser.error('give work dirs, or --study and its file')
    if args.runs and args.what != 'gate':
        parser.error('--what is for a study')
    return args


def name_runs(paths: list[Path]) -> list[str]:
    """Short names of runs that differ."""
    short = [path.resolve().name for path in paths]
    if len(set(short)) == len(short):
        return short
    return ['/'.join(path.resolve().parts[-2:]) for path in paths]


def main() -> None:
    """Plot."""
    args = parse_args()
    if args.study:
        files = draw_study(args)
    else:
        files = draw_runs(args)
    print(*files, sep='\n')


def draw_study(args: argparse.Namespace) -> list[Path]:
    """A panel for each gate."""
    from gssl_mm.visualization.gate_study import (
        plot_study_curves,
        read_study_curves,
    )
    curves = read_study_curves(args.study, args.axis, args.what)
    return plot_study_curves(curves, args.out, args.axis, args.what,
                             args.title)


def draw_runs(args: argparse.Namespace) -> list[Path]:
    """All runs in one panel."""
    from gssl_mm.visualization.gate_curve import (
        plot_gate_curves,
        read_gate_curve,
    )
    runs = {name: read_gate_curve(path, args.axis) for name, path in zip(
        name_runs(args.runs), args.runs, strict=True)}
    return plot_gate_curves(runs, args.out, args.axis, args.title)


if __name__ == '__main__':
    sys.exit(run_tool(main))
