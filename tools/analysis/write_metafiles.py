"""Generate the model zoo's metafiles from the configs and from results/.

Usage:
    python tools/analysis/write_metafiles.py --write           all
    python tools/analysis/write_metafiles.py --write weights   one folder
    python tools/analysis/write_metafiles.py --check           1 if one is stale

The collections of a metafile are written by hand and kept. Models come from
the folder's configs, their results from results/<config>/*.json; without a
finished run an entry has no results. Two minutes for all.

Example:
    python tools/analysis/write_metafiles.py --check weights
"""
import argparse
import sys
from pathlib import Path

from gssl_mm.tooling.errors import run_tool
from gssl_mm.tooling.model_zoo import (
    ParameterCounter,
    find_folders,
    render,
)
from gssl_mm.tooling.result_files import read_groups


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folders', nargs='*', help='names of folders of '
                        'configs, and weights (default: all)')
    parser.add_argument('--root', type=Path, default=Path('.'),
                        help='root of the repository')
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument('--write', action='store_true', help='write the files')
    mode.add_argument('--check', action='store_true',
                      help='leave with 1 if a file is out of date')
    return parser.parse_args()


def main() -> int:
    """Write or check."""
    args = parse_args()
    from mmengine.registry import init_default_scope
    init_default_scope('mmpretrain')
    groups, count = read_groups(args.root / 'results'), ParameterCounter()
    stale = []
    for folder in find_folders(args.root, args.folders):
        text = render(args.root, folder, groups, count)
        path = folder / 'metafile.yml'
        if text != path.read_text():
            stale.append(path)
            if args.write:
                path.write_text(text)
    for path in stale:
        sys.stdout.write(
            f'{path}: {"rewritten" if args.write else "out of date"}\n')
    return 1 if stale and args.check else 0


if __name__ == '__main__':
    sys.exit(run_tool(main))
