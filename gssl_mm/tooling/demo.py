"""Two short runs on built-in images: LDAM-DRW, and G-SSL beside it.

The runs use the Runner, the components and the kind of configs of every other
experiment. They show that everything works together; so short a schedule says
nothing about which method is better.
"""
import argparse
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from .arguments import CfgOptions
from .errors import run_tool

RUNS = (('LDAM-DRW', 'demo_ldamdrw_synthetic'),
        ('G-SSL', 'demo_gssl_synthetic'))
# Tiny layers get slower, not faster, on more threads.
MAX_THREADS = 4


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='demo.py', description=__doc__,
        epilog='example:\n  python tools/demo.py --out demo_out',
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=Path('demo_out'),
                        help='folder of everything that is written '
                        '(default: demo_out)')
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions,
                        help='overrides for both configs')
    return parser.parse_args(argv)


class Progress:
    """One line that says what is running and how long it will take.

    The time is estimated from the iterations done so far, both runs counted.

    Args:
        stream (TextIO): Rewritten in place on a terminal, else a line every
            tenth of the way.
    """

    def __init__(self, stream: Any = None) -> None:
        self.stream = stream or sys.stdout
        self.start, self.done, self.total, self._tenth = None, 0, 0, -1

    def __call__(self, text: str) -> None:
        """Count an iteration and show the line."""
        now = time.monotonic()
        self.start = self.start or now
        self.done += 1
        tenth = 10 * self.done // self.total
        live = self.stream.isatty()
        if not live and tenth == self._tenth:
            return
        self._tenth = tenth
        left = int((now - self.start) / self.done * (self.total - self.done))
        eta = f'{left // 60}:{left % 60:02d}' if self.done > 9 else '-:--'
        line = f'{100 * self.done // self.total:3d}%  {text}  ETA {eta}'
        end = '\r' if live and self.done < self.total else '\n'
        self.stream.write(f'{line:<78}{end}')
        self.stream.flush()


def _progress_hook(progress: Progress, title: str) -> Any:
    from mmengine.hooks import Hook

    class ProgressHook(Hook):
        """Report every iteration."""

        def after_train_iter(self, runner: Any, batch_idx: int,
                             data_batch: Any = None,
                             outputs: Any = None) -> None:
            progress(f'{title}: epoch {runner.epoch + 1} of '
                     f'{runner.max_epochs}')

    return ProgressHook()


def _read(stem: str, out: Path, options: dict | None) -> Any:
    from .batch_size import apply_total_batch_size
    from .config_file import read_config
    from .key_check import check_config_keys, merge_options
    cfg = read_config(f'gssl_mm::gssl/{stem}.py')
    merge_options(cfg, options)
    cfg.work_dir, cfg.log_level = str(out / 'runs' / stem), 'ERROR'
    apply_total_batch_size(cfg, 1, options)
    check_config_keys(cfg)
    shutil.rmtree(cfg.work_dir, ignore_errors=True)
    return cfg


def _run(title: str, cfg: Any, progress: Progress, out: Path) -> tuple:
    """Train one config; returns the run and its figures."""
    from .demo_report import DemoRun
    from .pretext_browser import browse, pretext_accuracy
    from .train import build_runner
    runner = build_runner(cfg)
    runner.register_hook(_progress_hook(progress, title), 'LOWEST')
    model = runner.train()
    run = DemoRun(title, Path(cfg.work_dir))
    if not cfg.model.data_preprocessor.get('pretext'):
        return run, []
    tasks = model.data_preprocessor.pretext.tasks
    run.chance = {task.name: 100 / task.num_classes for task in tasks}
    run.pretext = pretext_accuracy(model, runner.val_dataloader.dataset)
    return run, browse(cfg, out / 'pretext.png', 'test', 12)


def _count_iterations(cfg: Any) -> int:
    from .pretext_browser import build_dataset
    images, batch = len(build_dataset(cfg, 'train')), cfg.total_batch_size
    return -(-images // batch) * cfg.train_cfg.max_epochs


def main(argv: list[str] | None = None) -> int:
    """Train twice, compare, draw.

    Returns:
        int: 0 if every pretext task beats chance by 20 points, else 1.
    """
    args, begin = parse_args(argv), time.monotonic()
    import torch
    from mmengine.registry import init_default_scope

    from gssl_mm.engine import check_work_dir

    from .demo_report import describe, draw_figures, verdict
    torch.set_num_threads(min(MAX_THREADS, torch.get_num_threads()))
    check_work_dir(args.out)
    init_default_scope('mmpretrain')
    cfgs = {title: _read(stem, args.out, args.cfg_options)
            for title, stem in RUNS}
    progress, runs, files = Progress(), [], []
    progress.total = sum(_count_iterations(cfg) for cfg in cfgs.values())
    for title, cfg in cfgs.items():
        run, drawn = _run(title, cfg, progress, args.out)
        runs.append(run)
        files += drawn
    files += draw_figures(runs, args.out)
    shown = '\n'.join(f'  {file}' for file in files if file.suffix == '.png')
    sys.stdout.write(
        f'\n{describe(runs)}\n\nSo short a schedule shows that all parts work; '
        'it ranks no method.\n'
        f'{verdict(runs)}\n\nFigures (also as SVG):\n{shown}\n'
        f'Logs and checkpoints: {args.out / "runs"}\n'
        f'Time: {time.monotonic() - begin:.0f} s\n')
    return 1 if any(run.failed_tasks() for run in runs) else 0


if __name__ == '__main__':
    sys.exit(run_tool(main))
