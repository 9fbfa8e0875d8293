"""Time full training steps: pretext tasks, loader, memory format, precision.

    python tools/benchmarks/train_step.py --threads 2 --check

A step is the model's own ``train_step``: preprocessing (crop, flip, pretext
transform), forward, backward and optimizer, on batches of 128 images in
ResNet-32 of configs/gssl/resnet32_cifar10lt.py. Parts:

- tasks: with all three tasks and the gate, over the same step of
  configs/gssl/resnet32-ldamdrw_cifar10lt.py without them; at most 1.05.
- loader: an epoch through the config's loader, over as many steps on one cached
  batch; at most 1.05. Random images in CIFAR-10's shape, or those of
  ``--data-root``.
- precision: contiguous, channels-last, bfloat16 autocast and torch.compile.

Run it on an idle machine. ``--check`` looks at the promises of the parts that
were run.
"""
import argparse
import os
import sys
from functools import partial

from bench_common import (
    Promise,
    clock,
    interleave,
    machine_facts,
    make_parser,
    prepare,
    quiet_host,
    report,
    take_turns,
    timing_row,
)
from bench_training import (
    Trainer,
    build_loader,
    loader_pass,
    random_batch,
    read_recipe,
)

from gssl_mm.tooling.errors import run_tool

GSSL, PLAIN = 'resnet32_cifar10lt', 'resnet32-ldamdrw_cifar10lt'
PARTS = ('tasks', 'loader', 'precision')
LIMIT = 1.05
# name: (precision, memory, compiled)
VARIANTS = {
    'contiguous': ('float32', 'contiguous', ''),
    'channels_last, images alone': ('float32', 'images', ''),
    'channels_last': ('float32', 'channels_last', ''),
    'channels_last, bf16': ('bfloat16', 'channels_last', ''),
    'channels_last, bf16, compiled backbone':
        ('bfloat16', 'channels_last', 'backbone'),
    'channels_last, bf16, compile=True': ('bfloat16', 'channels_last', 'step'),
}


def time_tasks(precision: str, args: argparse.Namespace) -> tuple:
    """Steps with and without the pretext tasks."""
    part = f'tasks, {precision}'
    runs = {}
    for name, recipe in (('LDAM alone', PLAIN), ('three tasks, gate', GSSL)):
        cfg = read_recipe(recipe, args)
        trainer, batch = Trainer(cfg, args.device, precision), random_batch(cfg)
        runs[name] = partial(trainer.step, batch)
    times = take_turns(runs, args)
    base, images = times['LDAM alone'], cfg.train_dataloader.batch_size
    rows = [timing_row(part, name, found, images, base)
            for name, found in times.items()]
    return rows, [Promise(f'{part}: step over that of LDAM alone',
                          rows[-1]['time_ratio'], LIMIT)]


def time_loader(precision: str, args: argparse.Namespace) -> tuple:
    """Epochs through the loader against as many steps on a cached batch."""
    part = f'loader, {precision}'
    cfg = read_recipe(GSSL, args)
    trainer = Trainer(cfg, args.device, precision)
    loader = build_loader(cfg, args)
    cached = next(iter(loader))
    epoch = loader_pass(trainer, loader)
    blocks = {
        'cached batch': lambda: clock(
            lambda: trainer.step(cached), len(loader), args.device),
        f'loader, {loader.num_workers} workers':
            lambda: clock(epoch, 1, args.device) / len(loader),
    }
    # The first epoch starts the workers, if any
    interleave(blocks, 1)
    times = interleave(blocks, args.epochs)
    rows = [timing_row(part, name, found, loader.batch_size,
                       times['cached batch']) for name, found in times.items()]
    return rows, [Promise(f'{part}: step over that of a cached batch',
                          rows[-1]['time_ratio'], LIMIT)]


def build_variant(name: str, args: argparse.Namespace) -> tuple:
    """A trainer that has run once, or the reason why there is none."""
    precision, memory, compiled = VARIANTS[name]
    cfg = read_recipe(GSSL, args)
    batch = random_batch(cfg)
    try:
        trainer = Trainer(cfg, args.device, precision, memory, compiled)
        for _ in range(3 if compiled else 1):
            trainer.step(batch)
    except Exception as error:  # a compiler may be missing, or refuse
        if not compiled:
            raise
        reason = ' '.join(str(error).split())[:160]
        return None, f'{type(error).__name__}: {reason}'
    return partial(trainer.step, batch), None


def time_precision(args: argparse.Namespace) -> tuple:
    """Memory formats, autocast and compilation, side by side."""
    runs, failed = {}, []
    for name, (_, _, compiled) in VARIANTS.items():
        if compiled and not args.compile:
            continue
        run, error = build_variant(name, args)
        if run is None:
            failed.append(dict(part='precision', variant=name, error=error))
        else:
            runs[name] = run
    times = take_turns(runs, args)
    images = read_recipe(GSSL, args).train_dataloader.batch_size
    rows = [timing_row('precision', name, found, images, times['contiguous'])
            for name, found in times.items()]
    return rows + failed, []


def time_parts(args: argparse.Namespace) -> tuple[list[dict], list[Promise]]:
    """Run the parts that were asked for."""
    jobs = []
    for precision in args.precision:
        if 'tasks' in args.parts:
            jobs.append(lambda p=precision: time_tasks(p, args))
        if 'loader' in args.parts:
            jobs.append(lambda p=precision: time_loader(p, args))
    if 'precision' in args.parts:
        jobs.append(lambda: time_precision(args))
    rows, promises = [], []
    for job in jobs:
        more_rows, more_promises = job()
        rows += more_rows
        promises += more_promises
    return rows, promises


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('--parts', nargs='+', choices=PARTS,
                        default=list(PARTS))
    parser.add_argument('--precision', nargs='+', default=None,
                        choices=['float32', 'bfloat16'],
                        help='of the parts tasks and loader (default: both)')
    parser.add_argument('--compile', action=argparse.BooleanOptionalAction,
                        help='whether to compile (default: not with --quick)')
    parser.add_argument('--epochs', type=int, help='rounds of the part loader')
    parser.add_argument('--warmup', type=int, help='rounds thrown away')
    parser.add_argument('--data-root', help='folder of CIFAR-10')
    parser.add_argument('--batch-size', type=int, help='default: the config\'s')
    parser.add_argument('--depth', type=int, help='default: the config\'s')
    parser.add_argument('--images-per-class', type=int,
                        help='of the random images (default: 5000)')
    args = parser.parse_args(argv)
    quick = dict(rounds=1, steps=1, epochs=1, warmup=0, batch_size=8, depth=8,
                 images_per_class=100, compile=False, precision=['bfloat16'])
    full = dict(rounds=9, steps=5, epochs=3, warmup=1, compile=True,
                precision=['float32', 'bfloat16'])
    prepare(args, **(quick if args.quick else full))
    return args


def main(argv: list[str] | None = None) -> int:
    """Time and report."""
    args = parse_args(argv)
    facts = machine_facts(args.device)
    with quiet_host(tuned=True):
        rows, promises = time_parts(args)
    return report('train_step', args, facts, rows, promises,
                  cores=len(os.sched_getaffinity(0)))


if __name__ == '__main__':
    sys.exit(run_tool(main))
