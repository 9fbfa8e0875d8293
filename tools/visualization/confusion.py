"""Draw confusion matrices of models on the same images.

Usage:
    python tools/visualization/confusion.py MODEL [MODEL ...]
        [--per-class 1000] [--out confusion.png]

A MODEL is a work dir, CONFIG,CHECKPOINT, or the name of a model with weights;
NAME= in front names its panel.
Rows are true classes, in percent. The counts go into a JSON file beside.

Example:
    python tools/visualization/confusion.py gssl_demo --per-class 20
"""
import argparse
import sys

from gssl_mm.tooling.errors import run_tool


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    from gssl_mm.visualization.tool_arguments import add_per_class, make_parser
    parser = make_parser(__doc__, 'confusion.png')
    add_per_class(parser, 1000)
    return parser.parse_args()


def main() -> None:
    """Draw."""
    args = parse_args()
    from gssl_mm.visualization import (
        confusion_matrix,
        load_all,
        model_outputs,
        plot_confusion,
    )
    from gssl_mm.visualization.tool_arguments import (
        labelled_samples,
        write_json,
    )
    models = load_all(args.models, args.checkpoint, args.cfg_options)
    samples = labelled_samples(models, args)
    matrices = {}
    for model in models:
        logits = model_outputs(model, samples.images)[1]
        matrices[model.name] = confusion_matrix(
            samples.labels, logits.argmax(1), logits.size(1))
    size = len(next(iter(matrices.values())))
    names = [samples.class_name(c) for c in range(size)]
    for file in plot_confusion(matrices, names, args.out):
        print(file)
    print(write_json(args.out, dict(
        samples=len(samples.images), classes=names, counts={
            name: m.tolist() for name, m in matrices.items()})))


if __name__ == '__main__':
    sys.exit(run_tool(main))
