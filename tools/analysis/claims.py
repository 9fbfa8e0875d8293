"""Print what the results say about each claim of the two papers.

Usage:
    python tools/analysis/claims.py             one line a claim and comparison
    python tools/analysis/claims.py --full      one line a cell of the papers
    python tools/analysis/claims.py --json OUT  the same as data

The claims are entries of claims.json: rows of paper_rows.json that are
compared, a direction, and comparisons of our own; the verdicts follow the rule
that is printed above the table. The README's copy is written by
collect_results.py --write.

Example:
    python tools/analysis/claims.py --full
"""
import argparse
import json
import sys
from pathlib import Path

from gssl_mm.tooling.claim_records import plain, read_claims
from gssl_mm.tooling.claim_tables import claims_table
from gssl_mm.tooling.claims import judge
from gssl_mm.tooling.errors import OptionError, run_tool
from gssl_mm.tooling.result_files import read_groups
from gssl_mm.tooling.result_tables import read_paper_rows

HERE = Path(__file__).resolve().parent


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--results', type=Path, default=Path('results'),
                        help='folder of the JSON files (default: results)')
    parser.add_argument('--claims', type=Path, default=HERE / 'claims.json',
                        help='the claims (default: beside this script)')
    parser.add_argument('--full', action='store_true',
                        help='one line a cell, with the names of the runs')
    parser.add_argument('--json', type=Path, help='write them to a file')
    return parser.parse_args()


def main() -> int:
    """Judge and print."""
    args = parse_args()
    if not args.results.is_dir():
        raise OptionError(f'there is no folder {args.results}: give --results, '
                          'or run from the root of the repository.')
    claims = judge(read_claims(args.claims),
                   read_paper_rows(HERE / 'paper_rows.json'),
                   read_groups(args.results), args.results / 'benchmarks')
    if args.json:
        text = json.dumps(plain(claims), indent=1)
        args.json.write_text(f'{text}\n')
    print(claims_table(claims, args.full))
    return 0


if __name__ == '__main__':
    sys.exit(run_tool(main))
