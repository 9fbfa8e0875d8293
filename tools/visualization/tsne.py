"""Embed the pooled features of models with t-SNE, on the same images.

Usage:
    python tools/visualization/tsne.py MODEL [MODEL ...] [--per-class 260]
        [--out tsne.png] [--perplexity 50] [--random-state 0]

A MODEL is a work dir, CONFIG,CHECKPOINT, or the name of a model with weights;
NAME= in front names its panel. A picture proves nothing: silhouette and
leave-one-out 20-nearest-neighbour accuracy of the feature itself stand in the
titles and in a JSON file beside.

Example:
    python tools/visualization/tsne.py gssl_demo --per-class 20
"""
import argparse
import sys

from gssl_mm.tooling.errors import run_tool


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    from gssl_mm.visualization.tool_arguments import add_per_class, make_parser
    parser = make_parser(__doc__, 'tsne.png')
    add_per_class(parser, 260)
    parser.add_argument('--perplexity', type=float, default=50.)
    parser.add_argument('--random-state', type=int, default=0,
                        help='of the embedding (default: 0)')
    return parser.parse_args()


def main() -> None:
    """Embed."""
    args = parse_args()
    from gssl_mm.visualization import embed, load_all, plot_embeddings
    from gssl_mm.visualization.tool_arguments import (
        labelled_samples,
        write_json,
    )
    models = load_all(args.models, args.checkpoint, args.cfg_options)
    samples = labelled_samples(models, args)
    found = [embed(m, samples, args.perplexity, args.random_state)
             for m in models]
    for file in plot_embeddings(found, samples, args.out):
        print(file)
    print(write_json(args.out, dict(
        samples=len(samples.images), phase=args.phase, seed=args.seed,
        perplexity=args.perplexity, random_state=args.random_state,
        models={e.name: e.numbers for e in found})))
    for entry in found:
        words = ', '.join(f'{k} {v:.3f}' for k, v in entry.numbers.items())
        print(f'{entry.name}: {words}')


if __name__ == '__main__':
    sys.exit(run_tool(main))
