"""Train the same networks through the stock host and through this package.

    python tools/benchmarks/host_comparison.py --data-root data/cifar10 --check

The host's ResNet_CIFAR-18 and our CIFARResNet-32, with cross-entropy and
without pretext tasks, on the same images with the same crops and flips,
optimizer, schedule and batch of 128:

- host: its CIFAR10, its pipeline (RandomCrop, RandomFlip, PackInputs in two
  workers), its preprocessor, the hooks of its default runtime;
- ours: our CIFAR10, read by the batch without workers, crops and flips on the
  batch, the hooks of configs/_base_/default_runtime.py; then with channels-last
  images and weights, then with bfloat16 autocast, and the last one also without
  HeapHook.

Each variant is a training process of its own; they take turns epoch by epoch,
in an order that is turned round every time. The first epoch, which starts
workers, is thrown away. Images a second are those of whole training epochs with
loading, logging, checkpoints and all hooks; the validation, once at the end, is
not among them. The accuracy is that of the last epoch, on the test images: a
short run that shows that both learn, and no result.

``--check``: ours is at least as fast as the host in float32 with contiguous
images, and at least 2.2 times with bfloat16 for CIFARResNet-32. Run it on an
idle machine.
"""
import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from bench_common import (
    Promise,
    interleave,
    machine_facts,
    make_parser,
    prepare,
    report,
    timing_row,
)
from bench_recipes import (
    NETWORKS,
    add_recipe_options,
    build_config,
    draw_archive,
    register_host_dataset,
)
from bench_turns import Entrant, TurnsHook
from mmengine.config import Config

from gssl_mm.tooling.errors import run_tool
from gssl_mm.tooling.result_tables import markdown

LIKE_FOR_LIKE, BF16 = 1.0, 2.2
CHILD = '--child'


def child(config: str, source: str, sink: str) -> int:
    """Train a config in turns."""
    import gssl_mm.engine.safe_checkpoint
    import gssl_mm.models  # noqa: F401
    register_host_dataset()
    from mmengine.runner import Runner
    runner = Runner.from_cfg(Config.fromfile(config))
    runner.register_hook(TurnsHook(int(source), int(sink)))
    runner.train()
    return 0


def start(name: str, cfg: Config, folder: Path,
          args: argparse.Namespace) -> Entrant:
    """Start a variant and wait until it is ready."""
    place = folder / ''.join(c if c.isalnum() else '-' for c in name)
    place.mkdir(parents=True)
    cfg.work_dir = str(place / 'work')
    cfg.dump(place / 'config.py')
    env = dict(os.environ)
    if args.threads:
        env['OMP_NUM_THREADS'] = str(args.threads)
    if args.device == 'cpu':
        env['CUDA_VISIBLE_DEVICES'] = ''
    entrant = Entrant([sys.executable, str(Path(__file__).resolve()), CHILD,
                       str(place / 'config.py')], place / 'log.txt', env)
    entrant.wait()
    return entrant


def race(network: str, folder: Path, args: argparse.Namespace) -> list[dict]:
    """Let all variants of a network train in turns."""
    images = args.images or NETWORKS[network][2]
    steps = -(-images // args.batch_size)
    entrants, whole = {}, {name: [] for name in args.variants}
    try:
        for name in args.variants:
            entrants[name] = start(
                name, build_config(name, args, network, images),
                folder / network, args)

        def epoch(name: str) -> float:
            found = entrants[name].turn()
            whole[name].append(found['epoch_s'])
            return found['train_s'] / steps

        times = interleave(
            {name: lambda name=name: epoch(name) for name in entrants},
            args.rounds)
        accuracy = {name: entrant.metrics.get('accuracy/top1')
                    for name, entrant in entrants.items()}
    finally:
        for entrant in entrants.values():
            entrant.close()
    times = {name: found[1:] for name, found in times.items()}
    base = times[args.variants[0]]
    return [dict(timing_row(network, name, found, images / steps, base),
                 accuracy=accuracy[name], epoch_s=median(whole[name][1:]),
                 images=images) for name, found in times.items()]


def promises_of(rows: list[dict]) -> list[Promise]:
    """What the speeds have to be."""
    found = {(row['part'], row['variant']): 1 / row['time_ratio']
             for row in rows}
    promises = []
    for network in dict.fromkeys(row['part'] for row in rows):
        for variant, limit, networks in (
            ('ours', LIKE_FOR_LIKE, NETWORKS),
            ('ours, channels_last, bf16', BF16, ['CIFARResNet-32'])):
            key = (network, variant)
            if key in found and network in networks and (
                    (network, 'host') in found):
                promises.append(Promise(
                    f'{network}: images/s of "{variant}" over the host\'s',
                    found[key], limit, '>='))
    return promises


def print_accuracies(rows: list[dict]) -> None:
    """Show what the shared table has no column for."""
    print(markdown(
        ['network', 'variant', 'images/s', 'speed over the host\'s',
         'top-1 of the last epoch', 'a whole epoch, s'],
        [[row['part'], row['variant'], f'{row["images_per_s"]:,.0f}',
          f'{1 / row["time_ratio"]:.2f}', f'{row["accuracy"]:.2f}',
          f'{row["epoch_s"]:.1f}'] for row in rows]), end='\n\n')


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add_recipe_options(parser)
    args = parser.parse_args(argv)
    if args.variants[0] != 'host':
        args.variants.insert(0, 'host')
    args.variants = list(dict.fromkeys(args.variants))
    quick = dict(rounds=2, batch_size=8, workers=0, images=16, test_images=8,
                 depth=8)
    full = dict(rounds=6, batch_size=128, workers=2, test_images=2000)
    prepare(args, **(quick if args.quick else full))
    if args.rounds < 2:
        parser.error('--rounds: at least 2, the first epoch is thrown away')
    return args


def main(argv: list[str] | None = None) -> int:
    """Race and report."""
    args = parse_args(argv)
    facts = machine_facts(args.device)
    with tempfile.TemporaryDirectory() as folder:
        if args.data_root is None:
            args.data_root = Path(folder, 'data')
            most = args.images or max(n[2] for n in NETWORKS.values())
            draw_archive(args.data_root, -(-most // 10),
                         -(-args.test_images // 10))
            args.label = 'built-in images'
        args.data_root = args.data_root.resolve()
        rows = [row for network in args.networks
                for row in race(network, Path(folder), args)]
    print_accuracies(rows)
    return report('host_comparison', args, facts, rows, promises_of(rows),
                  cores=len(os.sched_getaffinity(0)))


if __name__ == '__main__':
    if sys.argv[1:2] == [CHILD]:
        sys.exit(child(*sys.argv[2:]))
    sys.exit(run_tool(main))
