"""Publish a trained model as a plain classifier.

Drops pretext heads, gate, attack, optimizer and logs, takes averaged weights
where there are some, proves on noise that the logits are the same, and writes
OUT_FILE-<hash>.pth and, beside it, the config of the plain ImageClassifier.
"""
import argparse
import sys

from .arguments import CONFIG_HELP, CfgOptions
from .config_file import read_config
from .errors import run_tool

EXAMPLE = """example:
  python tools/model_converters/publish_model.py \\
      configs/gssl/demo_gssl_synthetic.py \\
      work_dirs/demo_gssl_synthetic/epoch_30.pth published/demo.pth
"""
INFERENCES = ('single', 'aggregated', 'distilled')


def add_plain_options(parser: argparse.ArgumentParser) -> None:
    """Add what chooses the plain classifier: ``--inference --no-ema``."""
    parser.add_argument(
        '--inference', choices=INFERENCES,
        help='which prediction of a model with joint labels to take (default: '
        "the config's)")
    parser.add_argument(
        '--no-ema', action='store_true',
        help='take the trained weights, not their average')
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions,
                        help='overrides of the config, key=value')


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog='publish_model.py', description=__doc__, epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help=CONFIG_HELP)
    parser.add_argument('in_file', help='input checkpoint filename')
    parser.add_argument('out_file', help='output checkpoint filename, to which '
                        'the hash is added')
    add_plain_options(parser)
    return parser


def main(argv: list[str] | None = None) -> None:
    """Publish as the command line says."""
    args = build_parser().parse_args(argv)
    from mmengine.registry import init_default_scope

    from gssl_mm.deploy import publish_model

    from .key_check import apply_options
    init_default_scope('mmpretrain')
    cfg = read_config(args.config)
    apply_options(cfg, args.cfg_options)
    done = publish_model(cfg, args.in_file, args.out_file, args.inference,
                         not args.no_ema)
    weights = 'averaged weights' if done.ema else 'trained weights'
    sys.stdout.write(
        f'{done.weights}\n{done.config}\n{weights}, logits differ by '
        f'{done.difference:.1e} from those of the whole model\n')


if __name__ == '__main__':
    sys.exit(run_tool(main))
