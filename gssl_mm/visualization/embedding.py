"""Pooled features of models: how well classes are apart, in numbers and 2-D."""
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .errors import SampleError, need
from .predictions import model_outputs
from .samples import Samples
from .style import new_figure, save_figure
from .trained_model import TrainedModel

NEIGHBOURS = 20
PERPLEXITY = 50.
# Paul Tol's ten muted colours and markers: neither alone has to be told apart
CLASS_COLOURS = ('#332288', '#88CCEE', '#44AA99', '#117733', '#999933',
                 '#DDCC77', '#CC6677', '#882255', '#AA4499', '#888888')
MARKERS = 'os^Dv<>pP*'


@dataclass
class Embedding:
    """Features of one model on the samples.

    Args:
        name (str): Of the model.
        points (ndarray): float32 ``(N, 2)``, axes without meaning.
        numbers (dict): ``silhouette`` and ``knn_accuracy`` of the feature,
            ``silhouette_2d`` of the picture, ``top1`` of the classifier.
    """

    name: str
    points: np.ndarray
    numbers: dict[str, float]


def knn_accuracy(features: np.ndarray, labels: np.ndarray,
                 neighbours: int = NEIGHBOURS) -> float:
    """Accuracy of a vote of the nearest other samples, in percent.

    Every sample is classified by the majority of its nearest neighbours
    (Euclidean, itself left out); of classes with equally many votes the one
    with the nearest member wins.

    Args:
        features (ndarray): ``(N, D)``.
        labels (ndarray): int64 ``(N,)``.
        neighbours (int): At least 1, cut to N - 1. Defaults to 20.
    """
    points = torch.from_numpy(np.asarray(features, np.float64))
    truth = torch.from_numpy(np.asarray(labels, np.int64))
    count = min(neighbours, len(truth) - 1)
    distance = torch.cdist(points, points)
    distance.fill_diagonal_(torch.inf)
    near = truth[distance.topk(count, largest=False).indices]
    votes = torch.zeros(len(truth), int(truth.max()) + 1,
                        dtype=torch.float64)
    # Ties: the nearest counts more than all behind it, and less than a vote
    worth = 1 + .5 ** torch.arange(2, count + 2, dtype=torch.float64)
    votes.scatter_add_(1, near, worth.expand_as(near))
    return float(100 * (votes.argmax(1) == truth).double().mean())


def silhouette(features: np.ndarray, labels: np.ndarray) -> float:
    """Mean silhouette of the classes, in [-1, 1]; nan for one class."""
    need('sklearn', 'scikit-learn')
    from sklearn.metrics import silhouette_score
    groups = len(np.unique(labels))
    if not 2 <= groups < len(labels):
        return float('nan')
    return float(silhouette_score(features, labels))


def tsne(features: np.ndarray, perplexity: float = PERPLEXITY,
         seed: int = 0) -> np.ndarray:
    """Embed features in two dimensions with scikit-learn's t-SNE.

    Args:
        features (ndarray): ``(N, D)``.
        perplexity (float): More than 0, cut to a third of N. Defaults to 50.
        seed (int): ``random_state``. Defaults to 0.

    Raises:
        SampleError: There are fewer than 4 samples, or perplexity is not
            positive.
    """
    need('sklearn', 'scikit-learn')
    from sklearn.manifold import TSNE
    if len(features) < 4 or perplexity <= 0:
        raise SampleError(
            't-SNE needs 4 samples or more and a positive perplexity, got '
            f'{len(features)} and {perplexity}.')
    perplexity = min(perplexity, (len(features) - 1) / 3)
    return TSNE(perplexity=perplexity, random_state=seed).fit_transform(
        np.asarray(features, np.float32))


def embed(trained: TrainedModel, samples: Samples,
          perplexity: float = PERPLEXITY, seed: int = 0) -> Embedding:
    """Embed the pooled features of a model, and measure them.

    Args:
        trained (TrainedModel): The model.
        samples (Samples): With labels.
        perplexity (float): Defaults to 50.
        seed (int): Defaults to 0.

    Raises:
        SampleError: The samples have no labels.
    """
    if samples.labels is None:
        raise SampleError('the samples need labels: name data, not files.')
    features, logits = model_outputs(trained, samples.images)
    return embed_features(trained.name, features, logits, samples.labels,
                          perplexity, seed)


def embed_features(name: str, features: Tensor, logits: Tensor,
                   labels: Tensor, perplexity: float = PERPLEXITY,
                   seed: int = 0) -> Embedding:
    """Embed features that are there already; as :func:`embed`."""
    feats, truth = features.numpy(), labels.numpy()
    points = tsne(feats, perplexity, seed)
    return Embedding(name, points, dict(
        silhouette=silhouette(feats, truth),
        knn_accuracy=knn_accuracy(feats, truth),
        silhouette_2d=silhouette(points, truth),
        top1=float(100 * (logits.argmax(1) == labels).double().mean())))


def plot_embeddings(found: Sequence[Embedding], samples: Samples,
                    path: str | Path) -> list[Path]:
    """Draw the embeddings side by side, as in Figure 8 of G-SSL.

    Args:
        found (Sequence[Embedding]): Of the models.
        samples (Samples): Theirs.
        path (str | Path): Where to; PNG and SVG are written.

    Returns:
        list[Path]: The files written.
    """
    cols = min(2, len(found))
    rows = -(-len(found) // cols)
    figure, axes = new_figure(4 * cols + 1, 3.8 * rows, rows, cols,
                              squeeze=False)
    labels = samples.labels.numpy()
    for place, panel in enumerate(axes.flat):
        panel.set_axis_off()
        if place < len(found):
            _scatter(panel, found[place], labels, samples)
    handles, names = axes[0, 0].get_legend_handles_labels()
    if len(names) <= 20:
        figure.legend(handles, names, loc='outside right center',
                      frameon=False, fontsize=8, markerscale=2.5)
    return save_figure(figure, path)


def _scatter(panel, found: Embedding, labels: np.ndarray,
             samples: Samples) -> None:
    for place, label in enumerate(np.unique(labels)):
        x, y = found.points[labels == label].T
        panel.scatter(x, y, s=7, linewidths=0, alpha=.8,
                      color=CLASS_COLOURS[place % len(CLASS_COLOURS)],
                      marker=MARKERS[place % len(MARKERS)],
                      label=samples.class_name(int(label)))
    numbers = found.numbers
    panel.set_title(
        f'{found.name}\nsilhouette {numbers["silhouette"]:.3f}, '
        f'{NEIGHBOURS}-NN {numbers["knn_accuracy"]:.1f}%, '
        f'top-1 {numbers["top1"]:.1f}%', fontsize=9)


__all__ = [
    'CLASS_COLOURS', 'Embedding', 'MARKERS', 'embed', 'embed_features',
    'knn_accuracy', 'plot_embeddings', 'silhouette', 'tsne'
]
