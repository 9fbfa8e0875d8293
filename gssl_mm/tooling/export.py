"""Export the plain classifier of a trained model to ONNX.

The batch is dynamic. The graph is compared with the model on 1, 3 and 128
images where ONNX Runtime is installed, and a JSON file beside it says what goes
in and comes out.
"""
import argparse
import sys
from typing import Any

from .arguments import CONFIG_HELP
from .config_file import config_root, read_config
from .errors import OptionError, run_tool
from .publish import add_plain_options

EXAMPLE = """example:
  python tools/deploy/export.py gssl_demo --exporter torch --with-preprocess
  python tools/deploy/export.py configs/gssl/resnet32_cifar100lt.py \\
      work_dirs/resnet32_cifar100lt/epoch_300.pth --out gssl.onnx
"""
SHIPPED = 'deploy/classification_onnxruntime_dynamic_{size}x{size}.py'


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog='export.py', description=__doc__, epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help=f'{CONFIG_HELP}; or the name of a model '
                        'that comes with weights')
    parser.add_argument('checkpoint', nargs='?',
                        help="checkpoint file (default: a named model's own)")
    parser.add_argument('--deploy-cfg', help='deploy config (default: that of '
                        'the image size of the test pipeline)')
    parser.add_argument('--out', default='end2end.onnx',
                        help='file to write (default: end2end.onnx)')
    parser.add_argument(
        '--exporter', choices=['mmdeploy', 'torch'], default='mmdeploy',
        help='mmdeploy: probabilities out; torch: logits out, needs torch and '
        'onnx alone (default: mmdeploy)')
    parser.add_argument('--with-preprocess', action='store_true',
                        help='uint8 RGB images (N, H, W, 3) in, probabilities '
                        'out')
    parser.add_argument('--opset', type=int, help='operator set, 11 to 20 '
                        "(default: the deploy config's)")
    add_plain_options(parser)
    return parser


def find_model(config: str, checkpoint: str | None) -> tuple[Any, str]:
    """Config and checkpoint of what the command line names.

    Raises:
        OptionError: No checkpoint is given, and none comes with the name.
    """
    from gssl_mm.apis.model import find_config
    cfg, entry = find_config(config)
    checkpoint = checkpoint or (entry.weights if entry is not None else None)
    if not checkpoint:
        raise OptionError(f'{config} comes without weights: give a checkpoint.')
    return cfg, checkpoint


def read_shipped(size: int) -> Any:
    """Deploy config of the package for an image size.

    Raises:
        OptionError: It has none.
    """
    path = config_root() / SHIPPED.format(size=size)
    if not path.is_file():
        raise OptionError(
            f'there is no deploy config for images of {size}x{size}: copy one '
            'of configs/deploy, change its input_shape, give --deploy-cfg.')
    return read_config(str(path))


def main(argv: list[str] | None = None) -> None:
    """Export as the command line says."""
    args = build_parser().parse_args(argv)
    from mmengine.registry import init_default_scope

    from gssl_mm.deploy.export import export_model
    from gssl_mm.deploy.same_logits import input_size

    from .key_check import apply_options
    init_default_scope('mmpretrain')
    cfg, checkpoint = find_model(args.config, args.checkpoint)
    apply_options(cfg, args.cfg_options)
    deploy_cfg = (read_config(args.deploy_cfg) if args.deploy_cfg
                  else read_shipped(input_size(cfg)))
    done = export_model(
        cfg, checkpoint, deploy_cfg, args.out, args.exporter,
        args.with_preprocess, args.opset, inference=args.inference,
        ema=not args.no_ema)
    compared = (
        'not compared with PyTorch: onnxruntime is not installed'
        if done.difference is None else
        f'differs by {done.difference:.1e} from PyTorch (1, 3, 128 images)')
    sys.stdout.write(f'{done.graph}\n{done.description}\n{compared}\n')


if __name__ == '__main__':
    sys.exit(run_tool(main))
