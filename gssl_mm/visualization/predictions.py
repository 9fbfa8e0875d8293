"""What models predict: features, confusions, calibration."""
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .errors import SampleError
from .style import GREY, PALETTE, new_figure, save_figure
from .trained_model import TrainedModel

BATCH = 250
WRITTEN_IN = 20  # classes up to which numbers fit into the cells


@torch.no_grad()
def model_outputs(trained: TrainedModel, images: Tensor,
                  batch_size: int = BATCH) -> tuple[Tensor, Tensor]:
    """Pooled features and logits of images, in evaluation mode.

    Args:
        trained (TrainedModel): The model.
        images (Tensor): uint8 RGB ``(N, 3, H, W)``.
        batch_size (int): Defaults to 250.

    Returns:
        tuple[Tensor, Tensor]: float32 ``(N, D)`` and ``(N, K)``, on the CPU.
        The feature is what the head's classifier reads.
    """
    model, training = trained.model, trained.model.training
    model.eval()
    found = []
    for part in images.split(batch_size):
        feats = model.extract_feat(trained.prepare(part))
        # Once for the feature, once for the logits: some heads have stages
        found.append((model.head.pre_logits(feats).float().cpu(),
                      model.head(feats).float().cpu()))
    model.train(training)
    features, logits = (torch.cat(part) for part in zip(*found, strict=True))
    return features.flatten(1), logits


def confusion_matrix(truth: Tensor, predicted: Tensor,
                     num_classes: int) -> np.ndarray:
    """Count predictions: int64 ``(K, K)``, a true class a row.

    Raises:
        SampleError: A label is not below ``num_classes``.
    """
    highest = max(int(truth.max()), int(predicted.max()))
    if highest >= num_classes:
        raise SampleError(f'label {highest} of {num_classes} classes: the '
                          'model belongs to other data.')
    index = truth * num_classes + predicted
    return np.bincount(index.numpy(), minlength=num_classes**2).reshape(
        num_classes, num_classes)


def plot_confusion(matrices: dict[str, np.ndarray], names: Sequence[str],
                   path: str | Path) -> list[Path]:
    """Draw confusion matrices side by side, each row in percent.

    Args:
        matrices (dict): Model to counts, a true class a row.
        names (Sequence[str]): Of the classes.
        path (str | Path): Where to; PNG and SVG are written.

    Returns:
        list[Path]: The files written.
    """
    side = min(9., max(3.6, .42 * len(names) + 1.2))
    figure, axes = new_figure(side * len(matrices) + .6, side, 1,
                              len(matrices), squeeze=False)
    for panel, (name, counts) in zip(axes[0], matrices.items(), strict=True):
        share = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
        drawn = panel.imshow(share, cmap='cividis', vmin=0, vmax=100)
        panel.set(title=name, xlabel='predicted', ylabel='true')
        if len(names) <= WRITTEN_IN:
            _write_cells(panel, share, names)
    figure.colorbar(drawn, ax=axes[0].tolist(), shrink=.8,
                    label='% of the true class')
    return save_figure(figure, path)


def _write_cells(panel, share: np.ndarray, names: Sequence[str]) -> None:
    places = range(len(names))
    panel.set_xticks(places, names, rotation=60, ha='right', fontsize=7)
    panel.set_yticks(places, names, fontsize=7)
    for row in places:
        for col in places:
            value = share[row, col]
            if value >= .5:
                panel.text(col, row, f'{value:.0f}', ha='center', va='center',
                           fontsize=6,
                           color='black' if value > 55 else 'white')


def calibration(logits: Tensor, labels: Tensor, num_bins: int = 15
                ) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Bins of a reliability diagram and the numbers beside it.

    Computed by ``CalibrationError``.

    Args:
        logits (Tensor): ``(N, K)``.
        labels (Tensor): int64 ``(N,)``.
        num_bins (int): Defaults to 15.

    Returns:
        tuple[dict, dict]: The metric's ``bins``; ``ece`` in percent and
        ``nll`` in nats.
    """
    from gssl_mm.evaluation.metrics import CalibrationError
    metric = CalibrationError(num_bins)
    metric.process(None, [
        dict(pred_score=score, gt_label=label[None])
        for score, label in zip(logits.double().softmax(1).float(), labels,
                                strict=True)])
    numbers = metric.compute_metrics(metric.results)
    return metric.bins, numbers


def plot_reliability(bins: dict[str, dict], path: str | Path,
                     numbers: dict[str, dict] | None = None) -> list[Path]:
    """Draw accuracy over confidence, with the share of samples below.

    Args:
        bins (dict): Model to the bins of :func:`calibration`.
        path (str | Path): Where to; PNG and SVG are written.
        numbers (dict, optional): Model to ``ece`` and ``nll``, for titles.

    Returns:
        list[Path]: The files written.
    """
    figure, axes = new_figure(3.2 * len(bins) + .4, 4.2, 2, len(bins),
                              squeeze=False, sharex=True, sharey='row',
                              height_ratios=[3, 1])
    for col, (name, found) in enumerate(bins.items()):
        top, bottom = axes[:, col]
        middle = (found['lower'] + found['upper']) / 2
        width = .9 * (found['upper'] - found['lower'])
        top.bar(middle, found['accuracy'], width, color=PALETTE[0],
                label='accuracy')
        top.plot(found['confidence'], found['confidence'], 'o',
                 color=PALETTE[1], markersize=4, label='confidence')
        top.plot([0, 1], [0, 1], color=GREY, linewidth=.8, zorder=0)
        title = name
        if numbers:
            title += (f'\nECE {numbers[name]["ece"]:.1f}%, '
                      f'NLL {numbers[name]["nll"]:.2f}')
        top.set_title(title, fontsize=9)
        share = 100 * found['count'] / max(1, found['count'].sum())
        bottom.bar(middle, share, width, color=GREY)
        bottom.set(xlabel='confidence', xlim=(0, 1))
        for panel in (top, bottom):
            panel.spines[['top', 'right']].set_visible(False)
    axes[0, 0].set(ylabel='accuracy', ylim=(0, 1))
    axes[1, 0].set_ylabel('samples (%)')
    axes[0, 0].legend(frameon=False, fontsize='small', loc='upper left')
    return save_figure(figure, path)


__all__ = [
    'calibration', 'confusion_matrix', 'model_outputs', 'plot_confusion',
    'plot_reliability'
]
