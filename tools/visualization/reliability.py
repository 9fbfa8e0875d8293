"""Draw reliability diagrams of models on the same images.

Usage:
    python tools/visualization/reliability.py MODEL [MODEL ...]
        [--per-class 1000] [--bins 15] [--out reliability.png]

A MODEL is a work dir, CONFIG,CHECKPOINT, or the name of a model with weights;
NAME= in front names its panel.
Bars are accuracies, dots mean confidences of the bins; expected calibration
error (ECE) and negative log-likelihood (NLL) go into a JSON file beside.

Example:
    python tools/visualization/reliability.py gssl_demo --per-class 20
"""
import argparse
import sys

from gssl_mm.tooling.errors import run_tool


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    from gssl_mm.visualization.tool_arguments import add_per_class, make_parser
    parser = make_parser(__doc__, 'reliability.png')
    add_per_class(parser, 1000)
    parser.add_argument('--bins', type=int, default=15)
    return parser.parse_args()


def main() -> None:
    """Draw."""
    args = parse_args()
    from gssl_mm.visualization import (
        calibration,
        load_all,
        model_outputs,
        plot_reliability,
    )
    from gssl_mm.visualization.tool_arguments import (
        labelled_samples,
        write_json,
    )
    models = load_all(args.models, args.checkpoint, args.cfg_options)
    samples = labelled_samples(models, args)
    found = {m.name: calibration(model_outputs(m, samples.images)[1],
                                 samples.labels, args.bins) for m in models}
    numbers = {name: pair[1] for name, pair in found.items()}
    for file in plot_reliability({n: pair[0] for n, pair in found.items()},
                                 args.out, numbers):
        print(file)
    print(write_json(args.out, dict(
        samples=len(samples.images), numbers=numbers, bins={
            name: {key: values.tolist() for key, values in pair[0].items()}
            for name, pair in found.items()})))


if __name__ == '__main__':
    sys.exit(run_tool(main))
