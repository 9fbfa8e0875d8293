"""What the models of runs show on the same images."""
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import MMLogger
from torch import Tensor
from torch.utils.data import Subset

from gssl_mm.tooling.errors import exit_code, one_line
from gssl_mm.tooling.pretext_browser import pretext_accuracy

from ..cam_grid import ModelMaps, model_maps
from ..embedding import Embedding, embed_features
from ..errors import SampleError
from ..predictions import calibration, confusion_matrix, model_outputs
from ..run_record import RunRecord
from ..samples import (
    Samples,
    from_dataset,
    from_files,
    labels_of,
    one_per_class,
    plain_dataset,
    stratified,
)
from ..tool_arguments import to_rgb
from ..trained_model import TrainedModel, load_trained


@dataclass
class LookOptions:
    """What is computed with the models.

    Args:
        per_class (int): Test images a class. Defaults to 100.
        num_images (int): Images whose attention is shown. Defaults to 10.
        images (list[str]): Files to show instead. Defaults to none.
        method (str): ``'gradcam'`` or ``'cam'``. Defaults to ``'gradcam'``.
        checkpoint (str): ``'last'`` or ``'best'``. Defaults to ``'last'``.
        seed (int): Of the choice of images. Defaults to 0.
        options (dict, optional): Changes of every config.
    """

    per_class: int = 100
    num_images: int = 10
    images: list[str] = field(default_factory=list)
    method: str = 'gradcam'
    checkpoint: str = 'last'
    seed: int = 0
    options: dict | None = None


@dataclass
class Look:
    """What one model shows on the samples.

    Args:
        maps (ModelMaps, optional): Where it looks.
        embedding (Embedding, optional): Its features in two dimensions.
        confusion (ndarray, optional): ``(K, K)`` counts.
        calibration (tuple, optional): Bins and numbers.
        pretext (dict): Task to test accuracy in percent.
        checkpoint (str): Name of the file with its weights.
        missing (dict): Part to the reason why it is not there.
    """

    maps: ModelMaps | None = None
    embedding: Embedding | None = None
    confusion: np.ndarray | None = None
    calibration: tuple | None = None
    pretext: dict[str, float] = field(default_factory=dict)
    checkpoint: str = ''
    missing: dict[str, str] = field(default_factory=dict)


@dataclass
class Looks:
    """What the models show.

    Args:
        runs (dict): Number of the run to its look.
        samples (Samples, optional): Labelled test images.
        shown (Samples, optional): The images of the attention.
        missing (str): Why there is nothing at all.
    """

    runs: dict[int, Look] = field(default_factory=dict)
    samples: Samples | None = None
    shown: Samples | None = None
    missing: str = ''


def attempt(missing: dict[str, str], part: str, make: Callable) -> Any:
    """Call; a reason that a user can act on is kept, a defect is raised."""
    try:
        return make()
    except Exception as error:
        if exit_code(error) is None and not isinstance(error, OSError):
            raise
        missing[part] = one_line(error).removeprefix('error: ')
        MMLogger.get_current_instance().warning(
            '%s is left out: %s', part, missing[part])
        return None


def look(runs: Sequence[RunRecord], options: LookOptions) -> Looks:
    """Load the models of runs and look at the same images with each.

    What can't be had (no checkpoint, no data, a package that is not
    installed) is named in the result instead.

    Args:
        runs (Sequence[RunRecord]): The first one's test data is used.
        options (LookOptions): What to compute.
    """
    looks, missing, models = Looks(), {}, {}
    for place, run in enumerate(runs):
        looks.runs[place] = Look()
        model = attempt(
            looks.runs[place].missing, 'model', lambda run=run: load_trained(
                f'{run.name.replace("/", "|")}={run.path}',
                options.checkpoint, options.options))
        if model is not None:
            model.name = run.name
            looks.runs[place].checkpoint = Path(model.checkpoint).name
            models[place] = model
    if not models:
        looks.missing = 'No run has a checkpoint that could be loaded.'
        return looks
    first = next(iter(models.values()))
    dataset = attempt(missing, 'data', lambda: plain_dataset(first.cfg))
    attempt(missing, 'images', lambda: _choose(looks, dataset, first, options))
    looks.missing = ' '.join(missing.values())
    for place, model in models.items():
        _look_at(looks, looks.runs[place], model, dataset, options)
    return looks


def _choose(looks: Looks, dataset: Any, model: TrainedModel,
            options: LookOptions) -> None:
    if dataset is not None:
        labels, bgr = labels_of(dataset), to_rgb(model)
        looks.samples = from_dataset(dataset, stratified(
            labels, options.per_class, options.seed), bgr)
        looks.shown = from_dataset(dataset, one_per_class(
            labels, options.num_images, options.seed), bgr)
    if options.images:
        size = None if looks.samples is None else int(
            looks.samples.images.shape[-1])
        looks.shown = from_files(options.images, size, options.num_images)


def _look_at(looks: Looks, found: Look, model: TrainedModel, dataset: Any,
             options: LookOptions) -> None:
    if looks.shown is not None:
        found.maps = attempt(found.missing, 'attention', lambda: model_maps(
            model, looks.shown.images, options.method))
    if looks.samples is None:
        return
    outputs = attempt(found.missing, 'predictions', lambda: _outputs(
        model, looks.samples))
    if outputs is None:
        return
    features, logits = outputs
    labels = looks.samples.labels
    found.confusion = confusion_matrix(labels, logits.argmax(1),
                                       logits.size(1))
    found.calibration = calibration(logits, labels)
    found.embedding = attempt(
        found.missing, 't-SNE', lambda: embed_features(
            model.name, features, logits, labels, seed=options.seed))
    if getattr(model.model.data_preprocessor, 'pretext', None) is not None \
            and hasattr(model.model.head, 'task_heads'):
        picked = stratified(labels_of(dataset), options.per_class,
                            options.seed)
        found.pretext = pretext_accuracy(
            model.model, Subset(dataset, picked), options.seed)


def _outputs(model: TrainedModel, samples: Samples) -> tuple[Tensor, Tensor]:
    features, logits = model_outputs(model, samples.images)
    if logits.size(1) <= int(samples.labels.max()):
        raise SampleError(
            f'{model.name} has {logits.size(1)} classes, the images of the '
            f'first run have {int(samples.labels.max()) + 1}.')
    return features, logits


__all__ = ['Look', 'LookOptions', 'Looks', 'attempt', 'look']
