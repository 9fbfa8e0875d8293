r"""Add what a test after the training found to a run's results file.

Example:
    python tools/analysis/add_to_result.py work_dirs/a/seed0/result.json \
        robust work_dirs/a/seed0/test/robustness/summary.json \
        --out results/a/seed0.json

    python tools/analysis/add_to_result.py work_dirs/a/seed0/result.json \
        features tsne.json --model G-SSL --out results/a/seed0.json

The summary is any JSON object with an entry "metrics", name to number, or one
about several models ("models", name to such numbers), of which --model names
one. It becomes the entry SECTION of the results, whose metrics the tables then
find as SECTION/NAME, such as robust/pgd20/top1 or features/silhouette. Where
--out holds the same run already, what was added to it before stays.
"""
import argparse
import json
import os
import sys
from pathlib import Path

from gssl_mm.tooling.errors import OptionError, run_tool
from gssl_mm.tooling.result_files import NEEDED, read_run


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('result', type=Path, help='result.json of the run')
    parser.add_argument('section', help='name of the new entry')
    parser.add_argument('summary', type=Path, help='what the test wrote')
    parser.add_argument('--model', help='whose numbers, if of several models')
    parser.add_argument('--out', type=Path,
                        help='where to (default: RESULT itself)')
    return parser.parse_args()


def read_summary(path: Path, model: str | None = None) -> dict:
    """Read what a test wrote, of one model where it is about several.

    Raises:
        OptionError: It is no JSON object with metrics (of this model).
    """
    try:
        content = json.loads(path.read_text())
    except (ValueError, OSError) as error:
        raise OptionError(f'{path} is not readable JSON ({error}).') from error
    content = content if isinstance(content, dict) else {}
    models = content.pop('models', None)
    if isinstance(models, dict) or model is not None:
        models = models if isinstance(models, dict) else {}
        if model not in models:
            raise OptionError(f'--model must be one of those in {path}: '
                              f'{", ".join(models) or "none"}; got {model!r}.')
        content['metrics'] = models[model]
    if not isinstance(content.get('metrics'), dict):
        raise OptionError(f'{path} has no entry "metrics", name to number.')
    return content


def added_before(run: dict, out: Path) -> dict:
    """What the output holds of the same run: entries that were added."""
    former = read_run(out) if out.is_file() else None
    if former is None or any(former[key] != run[key] for key in NEEDED):
        return {}
    return former


def main() -> int:
    """Merge and write, whole or not at all."""
    args = parse_args()
    run = read_run(args.result)
    if run is None:
        raise OptionError(f'{args.result} is no results file: it lacks one of '
                          f'{", ".join(NEEDED)}.')
    taken = {'metrics', 'train', 'train_last', *run} - {'robust', 'features'}
    if args.section in taken:
        raise OptionError(f'{args.section!r} is an entry of the results '
                          'already: choose another name.')
    out = args.out or args.result
    run = {**added_before(run, out), **run,
           args.section: read_summary(args.summary, args.model)}
    part = out.with_name(f'{out.name}.part')
    part.write_text(f'{json.dumps(run, indent=2)}\n')
    os.replace(part, out)
    return 0


if __name__ == '__main__':
    sys.exit(run_tool(main))
