"""Test a model: the host's test tool, also on several CPU processes."""
import argparse
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

from gssl_mm.engine.work_dir import check_work_dir

from .arguments import CONFIG_HELP, add_common, parse
from .config_file import read_config
from .errors import CheckpointFileError, OptionError, run_tool
from .key_check import check_config_keys, merge_options
from .launch import count_processes, process_group
from .loaders import drop_impossible, set_loader_defaults
from .train import build_runner
from .work_dir import choose_work_dir

OUT_SUFFIXES = {
    'pred': ('.pkl', '.pickle'),
    'metrics': ('.json', '.yaml', '.yml', '.pkl', '.pickle')
}

EXAMPLE = """example (built-in images, the weights of a clone):
  python tools/test.py weights/gssl_demo-d5e23227.py \\
      weights/gssl_demo-d5e23227.pth --work-dir work_dirs/tested
"""


def build_parser() -> argparse.ArgumentParser:
    """The command line: flags and defaults of the host's tool."""
    parser = argparse.ArgumentParser(
        prog='test.py', description='Test (and eval) a model', epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help=CONFIG_HELP)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        '--work-dir',
        help='the directory to save the file containing evaluation metrics')
    parser.add_argument('--out', help='the file to output results.')
    parser.add_argument(
        '--out-item', choices=['metrics', 'pred'],
        help='To output whether metrics or predictions. Defaults to output '
        'predictions.')
    parser.add_argument('--amp', action='store_true',
                        help='enable automatic-mixed-precision test')
    parser.add_argument(
        '--show-dir',
        help='directory where the visualization images will be saved.')
    parser.add_argument(
        '--show', action='store_true',
        help='whether to display the prediction results in a window.')
    parser.add_argument('--interval', type=int, default=1,
                        help='visualize per interval samples.')
    parser.add_argument('--wait-time', type=float, default=2,
                        help='display time of every window. (second)')
    parser.add_argument(
        '--tta', action='store_true',
        help='Whether to enable the Test-Time-Aug (TTA). If the config file '
        'has `tta_pipeline` and `tta_model` fields, use them to determine the '
        'TTA transforms and how to merge the TTA results. Otherwise, use flip '
        'TTA by averaging classification score.')
    add_common(parser)
    return parser


def check_args(args: argparse.Namespace) -> None:
    """Refuse options that contradict each other before any work.

    Raises:
        OptionError: ``--out-item`` without ``--out``, a file type that the item
            can't be written as, or ``--tta`` with pictures.
        CheckpointFileError: The checkpoint does not exist.
    """
    if args.out is None and args.out_item is not None:
        raise OptionError('--out-item needs --out FILE, the file to write.')
    if args.out is not None:
        item = args.out_item or 'pred'
        if not args.out.endswith(OUT_SUFFIXES[item]):
            raise OptionError(
                f'--out {args.out}: {item} are written as '
                f'{" or ".join(OUT_SUFFIXES[item])}.')
    if args.tta and (args.show or args.show_dir):
        raise OptionError(
            '--tta and --show/--show-dir do not go together: with several '
            'views of an image there is no one picture to draw.')
    if '://' not in args.checkpoint and not Path(args.checkpoint).is_file():
        raise CheckpointFileError(
            f'{args.checkpoint}: there is no such checkpoint.')


def _set_visualization(cfg: Any, args: argparse.Namespace) -> None:
    if 'visualization' not in (cfg.get('default_hooks') or {}):
        raise OptionError(
            '--show and --show-dir need the visualization hook: add '
            "default_hooks=dict(visualization=dict(type='VisualizationHook')) "
            'to the config.')
    cfg.default_hooks.visualization.update(
        enable=True, show=args.show, wait_time=args.wait_time,
        out_dir=args.show_dir, interval=args.interval)


def _set_tta(cfg: Any) -> None:
    pipeline = cfg.test_dataloader.dataset.pipeline
    if 'tta_model' not in cfg:
        cfg.tta_model = dict(type='mmpretrain.AverageClsScoreTTA')
    if 'tta_pipeline' not in cfg:
        flips = [dict(type='RandomFlip', prob=1.),
                 dict(type='RandomFlip', prob=0.)]
        cfg.tta_pipeline = deepcopy(pipeline)
        cfg.tta_pipeline[-1] = dict(
            type='TestTimeAug', transforms=[flips, [pipeline[-1]]])
    cfg.model = dict(**cfg.tta_model, module=cfg.model)
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline


def merge_args(cfg: Any, args: argparse.Namespace) -> Any:
    """Merge the command line into the config, ``--cfg-options`` last."""
    for field in ('test_dataloader', 'test_cfg', 'test_evaluator'):
        if cfg.get(field) is None:
            raise OptionError(f'the config has no {field}: nothing to test.')
    cfg.launcher = args.launcher
    cfg.work_dir = choose_work_dir(cfg, args.work_dir, args.config)
    cfg.load_from, cfg.resume = args.checkpoint, False
    if args.amp:
        cfg.test_cfg.fp16 = True
    if args.show or args.show_dir is not None:
        _set_visualization(cfg, args)
    if args.tta:
        _set_tta(cfg)
    set_loader_defaults(cfg, ('test_dataloader', ), None)
    merge_options(cfg, args.cfg_options)
    drop_impossible(cfg, args.no_pin_memory)
    return cfg


def run_test(cfg: Any, args: argparse.Namespace) -> None:
    """Test, and write what ``--out`` asks for."""
    import mmengine
    from mmengine.evaluator import DumpResults
    runner = build_runner(cfg)
    if args.out and args.out_item in ('pred', None):
        runner.test_evaluator.metrics.append(
            DumpResults(out_file_path=args.out))
    metrics = runner.test()
    if args.out and args.out_item == 'metrics' and runner.rank == 0:
        mmengine.mkdir_or_exist(Path(args.out).absolute().parent)
        mmengine.dump(metrics, args.out)


def main(argv: list[str] | None = None) -> None:
    """Test as the command line says."""
    args = parse(build_parser(), argv)
    check_args(args)
    cfg = merge_args(read_config(args.config), args)
    count_processes(args.launcher)
    check_config_keys(cfg)
    check_work_dir(cfg.work_dir)
    with process_group(cfg, args.launcher):
        run_test(cfg, args)


if __name__ == '__main__':
    sys.exit(run_tool(main))
