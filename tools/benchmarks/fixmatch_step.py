"""Time FixMatch steps: the real streams against cached views.

    python tools/benchmarks/fixmatch_step.py --threads 1 --check

A step of configs/semi/wrn28-2-fixmatch_cifar10-4000.py is forward, backward and
update on 64 labelled images and two views of 448 unlabelled ones. Variants:

- cached views: the same preprocessed views again and again
- real streams: the labelled loader with its workers, the unlabelled stream, and
  the weak and strong views (crop, flip, RandAugment, Cutout), made every step
- streams alone: what the second does beside the step

Promised: a step with the real streams takes at most 1.1 times one on cached
views. Random images in CIFAR-10's shape, or those of ``--data-root``. Run it on
an idle machine.
"""
import argparse
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench_common import (
    Promise,
    machine_facts,
    make_parser,
    prepare,
    quiet_host,
    report,
    take_turns,
    timing_row,
)
from bench_training import AMP, Pixels, build_model
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.optim import build_optim_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmengine.utils.dl_utils import set_multi_processing

from gssl_mm.tooling.batch_size import apply_total_batch_size
from gssl_mm.tooling.config_file import read_config
from gssl_mm.tooling.errors import run_tool
from gssl_mm.tooling.loaders import drop_impossible, set_loader_defaults

SEMI = Path(__file__).resolve().parents[2] / 'configs' / 'semi'
LIMIT = 1.1


def read_recipe(args: argparse.Namespace) -> Config:
    """Read the config and reduce it as the options say."""
    cfg = read_config(str(SEMI / f'{args.config}.py'))
    if args.depth:
        cfg.model.backbone['depth'] = args.depth
    if args.batch_size:
        cfg.total_batch_size = args.batch_size
    if args.workers is not None:
        cfg.train_dataloader.num_workers = args.workers
    inner = cfg.train_dataloader.dataset.dataset
    if args.data_root:
        inner.update(data_root=args.data_root, verify_md5=False)
    else:
        cfg.train_dataloader.dataset.dataset = dict(
            type=Pixels, per_class=args.images_per_class,
            pipeline=inner.pipeline)
    if args.quick:
        cfg.train_dataloader.dataset.num_labeled = 40
    set_loader_defaults(cfg)
    drop_impossible(cfg)
    apply_total_batch_size(cfg, 1)
    return cfg


class Training:
    """The streams of a recipe and the step that takes their views.

    Args:
        cfg (Config): As :func:`read_recipe` returns it.
        args (Namespace): The options.
    """

    def __init__(self, cfg: Config, args: argparse.Namespace) -> None:
        set_multi_processing(**cfg.env_cfg.mp_cfg)
        self.model = build_model(cfg.model.to_dict(), False, args.device)
        self.wrapper = build_optim_wrapper(self.model, dict(
            cfg.optim_wrapper.to_dict(), type=AMP[args.precision]))
        self.hub = MessageHub.get_current_instance()
        self.hub.update_info('seed', 0)
        self.hub.update_info('max_iters', 2**20)
        self.steps = 0
        self.batches = self._stream(cfg)
        self.images = cfg.train_dataloader.batch_size

    def _stream(self, cfg: Config) -> Iterator[dict]:
        loader = Runner.build_dataloader(
            cfg.train_dataloader.to_dict(), seed=0)
        hook = HOOKS.build(cfg.custom_hooks[0])
        unlabeled = hook.open_stream(
            loader.dataset.other_part(), loader.batch_size, 0)
        for labeled, batch in zip(loader, unlabeled, strict=False):
            yield dict(labeled, unlabeled=batch)

    def views(self) -> dict:
        """Read a batch of both streams and make its views."""
        self.hub.update_info('iter', self.steps)
        self.steps += 1
        return self.model.data_preprocessor(next(self.batches), True)

    def step(self, views: dict) -> None:
        """One update, as the model's ``train_step`` after the views."""
        with self.wrapper.optim_context(self.model):
            losses = self.model(**views, mode='loss')
        self.wrapper.update_params(self.model.parse_losses(losses)[0])


def measure(args: argparse.Namespace) -> tuple[list[dict], list[Promise]]:
    """Time the three variants, taking turns."""
    cfg = read_recipe(args)
    training = Training(cfg, args)
    cached = training.views()
    parts: dict[str, Callable] = {
        'cached views': lambda: training.step(cached),
        'real streams': lambda: training.step(training.views()),
        'streams alone': training.views}
    times = take_turns(parts, args)
    images = len(cached['inputs'].labeled) + sum(
        len(view) for view in cached['inputs'].views.values())
    part = f'FixMatch, {args.precision}'
    rows = [timing_row(part, name, found, images, times['cached views'])
            for name, found in times.items()]
    return rows, [Promise(f'{part}: step with the real streams over that on '
                          'cached views', rows[1]['time_ratio'], LIMIT)]


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('--config', default='wrn28-2-fixmatch_cifar10-4000',
                        help='a config of configs/semi with two views')
    parser.add_argument('--precision', default='bfloat16',
                        choices=['float32', 'bfloat16'])
    parser.add_argument('--warmup', type=int, help='rounds thrown away')
    parser.add_argument('--workers', type=int,
                        help="of the labelled loader; default: the config's")
    parser.add_argument('--data-root', help='folder of CIFAR-10')
    parser.add_argument('--batch-size', type=int, help="default: the config's")
    parser.add_argument('--depth', type=int, help="default: the config's")
    parser.add_argument('--images-per-class', type=int,
                        help='of the random images (default: 5000)')
    args = parser.parse_args(argv)
    quick = dict(rounds=1, steps=1, warmup=0, batch_size=4, depth=10,
                 images_per_class=20, workers=0)
    full = dict(rounds=7, steps=2, warmup=1, images_per_class=5000)
    prepare(args, **(quick if args.quick else full))
    return args


def main(argv: list[str] | None = None) -> int:
    """Time and report."""
    args = parse_args(argv)
    facts = machine_facts(args.device)
    with quiet_host(tuned=True):
        rows, promises = measure(args)
    return report('fixmatch_step', args, facts, rows, promises,
                  cores=len(os.sched_getaffinity(0)))


if __name__ == '__main__':
    sys.exit(run_tool(main))
