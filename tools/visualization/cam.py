"""Draw where models look: an image a row, a model a column.

Usage:
    python tools/visualization/cam.py MODEL [MODEL ...] [--method cam]
        [--images FILE_OR_FOLDER ... | --indices I ... | --num 10]
        [--out cam.png]

A MODEL is a work dir, CONFIG,CHECKPOINT, or the name of a model with weights;
NAME= in front names its column.
Without --images and --indices one random image a class is shown. --method
gradcam (Figure 7 of Mixture of Self-Supervised Learning) works on any model;
cam (Figures 1, 5, 6 of Self-supervision of Feature Transformation) needs a
linear classifier of the pooled map. The papers' look: --colormap jet
--image-weight 0.7. Predictions and confidences go into a JSON file beside.

Example:
    python tools/visualization/cam.py gssl_demo --num 4
"""
import argparse
import sys

from gssl_mm.tooling.errors import run_tool


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    from gssl_mm.visualization.tool_arguments import make_parser
    parser = make_parser(__doc__, 'cam.png')
    parser.add_argument('--method', choices=['gradcam', 'cam'],
                        default='gradcam')
    parser.add_argument('--images', nargs='+', help='files and folders')
    parser.add_argument('--size', type=int, help='side that files are '
                        "resized to (default: that of the config's test data)")
    parser.add_argument('--indices', nargs='+', type=int,
                        help='positions in the data')
    parser.add_argument('--num', type=int, help='at most so many images')
    parser.add_argument('--of', choices=['predicted', 'true'],
                        default='predicted', help='whose evidence: of the '
                        'class each model predicts, or of the true class')
    parser.add_argument('--target-layer', help='of Grad-CAM, backbone.layer2 '
                        'for instance (default: the last map)')
    parser.add_argument('--colormap', default='inferno')
    parser.add_argument('--image-weight', type=float, default=0.5)
    return parser.parse_args()


def main() -> None:
    """Draw."""
    args = parse_args()
    from gssl_mm.visualization import load_all, model_maps, plot_cam_grid
    from gssl_mm.visualization.errors import SampleError
    from gssl_mm.visualization.tool_arguments import shown_samples, write_json
    models = load_all(args.models, args.checkpoint, args.cfg_options)
    samples = shown_samples(models, args)
    if args.of == 'true' and samples.labels is None:
        raise SampleError('files have no true class; leave --of out.')
    classes = samples.labels if args.of == 'true' else None
    found = [model_maps(m, samples.images, args.method, classes,
                        args.target_layer) for m in models]
    for file in plot_cam_grid(samples, found, args.out, args.colormap,
                              args.image_weight):
        print(file)
    print(write_json(args.out, dict(method=args.method, images=[
        dict(title=title, **{m.name: dict(
            predicted=samples.class_name(int(m.predicted[i])),
            confidence=float(m.confidence[i])) for m in found})
        for i, title in enumerate(samples.titles)])))


if __name__ == '__main__':
    sys.exit(run_tool(main))
