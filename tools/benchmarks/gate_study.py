r"""Compare gates on one experiment: train, summarise, time.

    TAG=200e python tools/benchmarks/gate_study.py \
        configs/gssl/resnet32_cifar10lt.py \
        --seeds 0 1 2 3 4 --also configs/gssl/resnet32-ldamdrw_cifar10lt.py \
        -- --amp --cfg-options train_cfg.max_epochs=200

Trains the experiment with every gate of ``--gates`` and every seed through
tools/run_seeds.sh, whose environment variables (WORK_DIRS, RESULTS, DEVICES,
JOBS, TAG, PYTHON) apply: a run with a results file is skipped, one that died is
resumed. All gates of a seed come before the next seed, so that whatever is
finished is paired. What follows ``--`` goes to tools/train.py.

The JSON file holds for each gate: accuracy (last and best epoch, many, medium,
few), gate and agreement curves of every iteration of the first epoch and of
every epoch, pretext accuracies, the step time over that of the first gate, and
paired differences to the gates and configs of ``--against`` with 95%
t-intervals. It is written after each seed; docs/gates.md shows it after
tools/analysis/collect_results.py --write.

Step times are measured after the training, in turns: give ``--no-timing`` on a
machine that does something else, and those of the file are kept, as are curves
whose work dirs are gone. Leaves with 1 if a run failed.
"""
import argparse
import os
import subprocess
import sys
from pathlib import Path

from bench_common import machine_facts, make_parser, prepare, write_json
from bench_gates import GATES, time_gates, trained_as, write_config

from gssl_mm.tooling.errors import OptionError, run_tool
from gssl_mm.tooling.gate_summary import (
    keep_former,
    read_variant,
    summarise_study,
)
from gssl_mm.tooling.gate_tables import study_table

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / 'configs' / 'gssl' / 'demo_gssl_synthetic.py'
QUICK = [
    'train_cfg.max_epochs=2', 'train_cfg.val_interval=1',
    'train_dataloader.dataset.dataset.num_per_class=16',
    'train_dataloader.dataset.imbalance_ratio=0.2',
    'val_dataloader.dataset.num_per_class=2', 'model.backbone.base_channels=4',
    'model.head.in_channels=16', 'model.head.primary.in_channels=16'
]


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line; options of the train tool follow ``--``."""
    parser = make_parser(__doc__)
    parser.add_argument('experiment', type=Path, nargs='?',
                        help='config with a SoftmaxGate')
    parser.add_argument('--seeds', type=int, nargs='+', default=None)
    parser.add_argument('--gates', nargs='+', choices=list(GATES),
                        default=None, help='default: all')
    parser.add_argument('--also', type=Path, nargs='+', default=[],
                        metavar='CONFIG', help='other configs, as they are')
    parser.add_argument('--against', nargs='+',
                        help='gates, or names of configs of --also (default: '
                        'the first gate and the first of --also)')
    parser.add_argument('--no-agreement', action='store_true',
                        help='do not log agreements: needed where the primary '
                        'head has no closed form')
    parser.add_argument('--no-timing', action='store_true',
                        help='do not measure step times')
    parser.add_argument('--summary-only', action='store_true',
                        help='train nothing')
    parser.add_argument('--batch-size', type=int, help='of the timed steps')
    words = sys.argv[1:] if argv is None else argv
    cut = words.index('--') if '--' in words else len(words)
    args = parser.parse_args(words[:cut])
    args.options = words[cut + 1:]
    return fill_in(args, parser)


def fill_in(args: argparse.Namespace,
            parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Defaults that depend on other options."""
    if args.experiment is None:
        if not args.quick:
            parser.error('give the config of an experiment, or --quick')
        args.experiment = DEMO
        args.options = [*args.options, '--cfg-options', *QUICK]
    small = dict(rounds=1, steps=1, batch_size=8, seeds=[0, 1],
                 gates=['uniformgate', 'alignedgate'])
    full = dict(rounds=9, steps=5, seeds=[0, 1, 2, 3, 4], gates=list(GATES))
    prepare(args, **(small if args.quick else full))
    if args.against is None:
        args.against = [args.gates[0], *(p.stem for p in args.also[:1])]
    if args.out is None:
        args.out = Path(os.environ.get('RESULTS', 'results'), 'gate_study',
                        f'{tagged(args.experiment.stem)}.json')
    return args


def tagged(stem: str) -> str:
    """Name of a config's results, as tools/run_seeds.sh gives it."""
    tag = os.environ.get('TAG', '')
    return f'{stem}-{tag}' if tag else stem


def train(configs: list[Path], seeds: list[int], options: list[str]) -> bool:
    """Run seeds of all configs; tell whether all have finished."""
    done = True
    for config in configs:
        code = subprocess.run(
            ['bash', str(ROOT / 'tools' / 'run_seeds.sh'), str(config),
             *map(str, seeds), '--', *options],
            env={'PYTHON': sys.executable, **os.environ},
            check=False).returncode
        done = done and code == 0
    return done


def summarise(configs: dict[str, Path], args: argparse.Namespace) -> dict:
    """Read what is finished, and compare it."""
    results = Path(os.environ.get('RESULTS', 'results'))
    work_dirs = Path(os.environ.get('WORK_DIRS', 'work_dirs'))
    variants = [read_variant(name, tagged(path.stem), args.seeds, results,
                             work_dirs) for name, path in configs.items()]
    content = dict(
        benchmark='gate_study', experiment=tagged(args.experiment.stem),
        options=args.options, against=args.against,
        **summarise_study(variants, args.against))
    keep_former(content, args.out)
    return content


def refuse_others(content: dict, configs: dict[str, Path],
                  options: list[str]) -> None:
    """Refuse what an earlier study with other options left, before hours pass.

    Raises:
        OptionError: A finished run is not what would be trained now.
    """
    for row in content['rows']:
        path = configs[row['variant']]
        if row['configs'] and row['configs'] != [trained_as(path, options)]:
            raise OptionError(
                f'the finished runs of {row["stem"]} were trained with other '
                f'options, or with another version of {path.name}, than '
                'theirs would be now. Give the same options, or RESULTS and '
                'WORK_DIRS of their own; --summary-only reads what is there.')


def run_study(configs: dict[str, Path], args: argparse.Namespace) -> tuple:
    """Train seed by seed and keep the file up to date."""
    jobs = max(1, int(os.environ.get('JOBS') or len(
        os.environ.get('DEVICES', '').split()) or 1))
    done = True
    content = summarise(configs, args)
    if not args.summary_only:
        refuse_others(content, configs, args.options)
    for start in range(0, len(args.seeds), jobs):
        if not args.summary_only:
            done = train(list(configs.values()), args.seeds[start:start + jobs],
                         args.options) and done
        content = summarise(configs, args)
        write_json(args.out, content)
    return content, done


def add_times(content: dict, configs: dict[str, Path],
              args: argparse.Namespace) -> None:
    """Measure step times and note the machine."""
    content['timing'] = machine_facts(args.device)
    ratios = time_gates(configs, args)
    for row in content['rows']:
        row['step_time_ratio'] = ratios.get(row['variant'])
    write_json(args.out, content)


def main(argv: list[str] | None = None) -> int:
    """Run the study."""
    args = parse_args(argv)
    folder = Path(os.environ.get('WORK_DIRS', 'work_dirs'), 'gate_study')
    gates = {gate: write_config(args.experiment, gate, folder,
                                not args.no_agreement) for gate in args.gates}
    configs = {**gates, **{path.stem: path for path in args.also}}
    content, done = run_study(configs, args)
    if not args.no_timing:
        add_times(content, configs, args)
    print(f'{study_table(content)}\n\n{args.out}')
    return 0 if done else 1


if __name__ == '__main__':
    sys.exit(run_tool(main))
