"""Train a model: the host's train tool with this package's promises.

Beside the host's flags it divides ``total_batch_size`` among the processes,
runs several processes without a GPU, resumes from the newest checkpoint that is
whole, and refuses config keys that nothing reads.
"""
import argparse
import sys
from pathlib import Path
from typing import Any

from gssl_mm.engine.work_dir import check_work_dir

from .arguments import CONFIG_HELP, add_common, parse
from .batch_size import BatchPlan, apply_total_batch_size
from .config_file import read_config
from .errors import CheckpointFileError, OptionError, run_tool
from .key_check import check_config_keys, merge_options
from .launch import count_processes, process_group
from .loaders import drop_impossible, set_loader_defaults
from .work_dir import choose_work_dir

AMP_WRAPPER = 'gssl_mm.AmpOptimWrapper'
CHECK_HOOK = 'gssl_mm.CheckpointCheckHook'
PLAIN_WRAPPERS = (None, 'OptimWrapper', 'AmpOptimWrapper', AMP_WRAPPER)

EXAMPLE = """example (built-in images, one epoch, no download):
  python tools/train.py configs/gssl/demo_gssl_synthetic.py \\
      --work-dir work_dirs/first --cfg-options train_cfg.max_epochs=1
"""


def build_parser() -> argparse.ArgumentParser:
    """The command line: flags and defaults of the host's tool."""
    parser = argparse.ArgumentParser(
        prog='train.py', description='Train a model', epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help=CONFIG_HELP)
    parser.add_argument('--work-dir', help='the dir to save logs and models')
    parser.add_argument(
        '--resume', nargs='?', type=str, const='auto',
        help='If specify checkpoint path, resume from it, while if not '
        'specify, try to auto resume from the newest whole checkpoint in the '
        'work directory.')
    parser.add_argument('--amp', action='store_true',
                        help='train under bfloat16 autocast, also on CPU')
    parser.add_argument(
        '--no-validate', action='store_true',
        help='whether not to evaluate the checkpoint during training')
    parser.add_argument(
        '--auto-scale-lr', action='store_true',
        help='whether to auto scale the learning rate according to the actual '
        'batch size and the original batch size.')
    parser.add_argument(
        '--no-persistent-workers', action='store_true',
        help='whether to disable the persistent_workers option in '
        'dataloaders.')
    add_common(parser)
    return parser


def _use_amp(cfg: Any) -> None:
    wrapper = cfg.optim_wrapper
    if wrapper.get('type') not in PLAIN_WRAPPERS:
        raise OptionError(
            f'--amp replaces OptimWrapper by {AMP_WRAPPER}, but the config '
            f'uses {wrapper.type!r}. Leave --amp out and set the precision of '
            'that wrapper in the config.')
    wrapper['type'] = AMP_WRAPPER
    wrapper.pop('loss_scale', None)


def _scale_lr(cfg: Any) -> None:
    if not cfg.get('auto_scale_lr'):
        raise OptionError(
            '--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=N) in '
            'the config: the batch size that its learning rate is meant for.')
    cfg.auto_scale_lr['enable'] = True


def merge_args(cfg: Any, args: argparse.Namespace) -> Any:
    """Merge the command line into the config, ``--cfg-options`` last.

    Raises:
        OptionError: An option does not fit the config.
        UnknownConfigKeyError: An override of a key that nothing reads.
    """
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.launcher = args.launcher
    cfg.work_dir = choose_work_dir(cfg, args.work_dir, args.config)
    if args.amp:
        _use_amp(cfg)
    if args.auto_scale_lr:
        _scale_lr(cfg)
    set_loader_defaults(cfg)
    merge_options(cfg, args.cfg_options)
    # For the results file: what a run has that its config has not
    cfg.cfg_options = [f'{k}={v}' for k, v in (args.cfg_options or {}).items()]
    drop_impossible(cfg, args.no_pin_memory, args.no_persistent_workers)
    return cfg


def set_resume(cfg: Any, resume: str | None) -> str:
    """Choose the checkpoint to resume from.

    With nothing to resume a run starts from its beginning, with the
    ``load_from`` weights of its config if there are any.

    Args:
        cfg (Config): Changed in place.
        resume (str, optional): None, ``'auto'`` or a path.

    Returns:
        str: What was chosen, for the log.

    Raises:
        CheckpointFileError: The path does not exist.
    """
    if resume is None:
        return ''
    if resume == 'auto':
        from gssl_mm.engine.find_checkpoint import find_resumable_checkpoint
        found = find_resumable_checkpoint(cfg.work_dir)
        if found is None:
            cfg.resume = False
            return f'Nothing to resume in {cfg.work_dir}: training anew.'
        resume = str(found)
    elif not Path(resume).is_file():
        raise CheckpointFileError(
            f'--resume {resume}: there is no such checkpoint. Give --resume '
            'alone to take the newest of the work directory.')
    cfg.resume, cfg.load_from = True, resume
    return f'Resuming from {resume}.'


def _check_checkpoints(cfg: Any) -> None:
    """Refuse checkpoints of another architecture, whatever the config."""
    custom = list(cfg.get('custom_hooks') or [])
    default = (cfg.get('default_hooks') or {}).values()
    if not any(isinstance(hook, dict) and hook.get('type') == CHECK_HOOK
               for hook in (*custom, *default)):
        cfg.custom_hooks = [*custom, dict(type=CHECK_HOOK)]


def build_runner(cfg: Any) -> Any:
    """Build the Runner that the config asks for.

    Checkpoints are read as data and compared with the model.
    """
    from mmengine.registry import RUNNERS
    from mmengine.runner import Runner

    import gssl_mm.engine.safe_checkpoint  # noqa: F401  replaces the loaders
    _check_checkpoints(cfg)
    return RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)


def prepare(args: argparse.Namespace) -> tuple[Any, BatchPlan | None, str]:
    """From arguments to a checked config.

    Returns:
        tuple: The config, the division of its batch, and a line about
        resuming.
    """
    cfg = merge_args(read_config(args.config), args)
    plan = apply_total_batch_size(
        cfg, count_processes(args.launcher), args.cfg_options)
    check_config_keys(cfg)
    check_work_dir(cfg.work_dir)
    return cfg, plan, set_resume(cfg, args.resume)


def main(argv: list[str] | None = None) -> None:
    """Train as the command line says."""
    args = parse(build_parser(), argv)
    cfg, plan, resume = prepare(args)
    with process_group(cfg, args.launcher):
        runner = build_runner(cfg)
        for line in filter(None, (plan, resume)):
            runner.logger.info(str(line))
        runner.train()


if __name__ == '__main__':
    sys.exit(run_tool(main))
