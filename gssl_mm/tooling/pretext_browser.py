"""Build a config's data and pretext tasks, and draw or test them."""
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .errors import OptionError


def pretext_arguments(cfg: Any) -> dict:
    """Arguments of the config's ``PretextTransform``.

    Raises:
        OptionError: Its data preprocessor has no pretext task.
    """
    preprocessor = cfg.model.get('data_preprocessor') or {}
    if not preprocessor.get('pretext'):
        raise OptionError(
            'the config has no pretext task: expected model.data_preprocessor'
            "=dict(type='gssl_mm.PretextDataPreprocessor', pretext=dict("
            'tasks=[...])).')
    return preprocessor['pretext']


def build_dataset(cfg: Any, phase: str) -> Any:
    """Build the data set of a loader.

    Raises:
        OptionError: The config has no such loader.
    """
    from mmpretrain.registry import DATASETS
    loader = cfg.get(f'{phase}_dataloader')
    if not loader:
        raise OptionError(f'the config has no {phase}_dataloader.')
    return DATASETS.build(loader['dataset'])


def pick(length: int, count: int, seed: int) -> list[int]:
    """Different positions of a data set at random, all when it is small."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randperm(length, generator=generator)[:count].tolist()


def load_images(dataset: Any, positions: Sequence[int], to_rgb: bool
                ) -> tuple[Tensor, list[int]]:
    """Images in RGB, uint8 ``(N, 3, H, W)``, and their labels."""
    items = [dataset[i] for i in positions]
    images = torch.stack([item['inputs'] for item in items])
    labels = [int(item['data_samples'].gt_label[0]) for item in items]
    return (images.flip(1) if to_rgb else images), labels


class NormalisedTransform:
    """A pretext transform of pixels that works on normalised values.

    That is what the tasks are given in training: one that changes values
    instead of moving them looks as the network sees it.

    Args:
        transform (PretextTransform): The composed tasks.
        preprocessor (dict): Config of the data preprocessor.
    """

    def __init__(self, transform: Any, preprocessor: dict) -> None:
        self.transform = transform
        self.tasks, self.region = transform.tasks, transform.region
        self.sample, self.labels = transform.sample, transform.labels
        mean = preprocessor.get('mean') or [0.]
        std = preprocessor.get('std') or [1.]
        self.mean = torch.tensor(mean, dtype=torch.float).view(-1, 1, 1)
        self.std = torch.tensor(std, dtype=torch.float).view(-1, 1, 1)

    def apply(self, images: Tensor, draw: Any) -> Tensor:
        """Transform uint8 ``(N, 3, H, W)``; clipped to what can be shown."""
        changed = self.transform.apply((images - self.mean) / self.std, draw)
        pixels = changed * self.std + self.mean
        return pixels.round().clamp(0, 255).to(torch.uint8)


def browse(cfg: Any, out: Path, phase: str = 'train', num: int = 12,
           cols: int = 4, seed: int = 0) -> list[Path]:
    """Draw the grid of a config.

    Args:
        cfg (Config): With pretext tasks in its data preprocessor.
        out (Path): Where to; PNG and SVG are written.
        phase (str): Whose loader's images. Defaults to ``'train'``.
        num (int): Number of images, at least 1. Defaults to 12.
        cols (int): Pairs a row, at least 1. Defaults to 4.
        seed (int): Seed of the draws. Defaults to 0.

    Returns:
        list[Path]: The files written.
    """
    from mmengine.registry import init_default_scope

    from gssl_mm.models.pretext import build_pretext_transform
    from gssl_mm.visualization.pretext_grid import plot_pretext_grid
    if num < 1 or cols < 1:
        raise OptionError(f'num and cols must be at least 1, got {num}, '
                          f'{cols}.')
    arguments = pretext_arguments(cfg)
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    transform = NormalisedTransform(
        build_pretext_transform(arguments), cfg.model.data_preprocessor)
    dataset = build_dataset(cfg, phase)
    to_rgb = cfg.model.data_preprocessor.get('to_rgb', False)
    images, labels = load_images(
        dataset, pick(len(dataset), num, seed), to_rgb)
    classes = (getattr(dataset, 'metainfo', None) or {}).get('classes')
    names = [str(classes[i]) if classes else f'class {i}' for i in labels]
    generator = torch.Generator().manual_seed(seed)
    return plot_pretext_grid(images, transform, out, generator, names, cols)


@torch.no_grad()
def pretext_accuracy(model: Any, dataset: Any, seed: int = 0,
                     batch_size: int = 250) -> dict[str, float]:
    """Accuracy of the pretext heads on transformed images, in percent.

    Every image is transformed once with draws fixed by the seed; the model is
    in evaluation mode, as for the classification of test images.

    Args:
        model (ImageClassifier): With a ``GatedMultiTaskHead`` and a
            ``PretextDataPreprocessor``.
        dataset (Dataset): Images, usually the test set.
        seed (int): Seed of the draws. Defaults to 0.
        batch_size (int): Defaults to 250.

    Returns:
        dict[str, float]: Task name to accuracy.
    """
    preprocessor, training = model.data_preprocessor, model.training
    transform = preprocessor.pretext
    generator = torch.Generator().manual_seed(seed)
    model.eval()
    hits = []
    for start in range(0, len(dataset), batch_size):
        stop = min(start + batch_size, len(dataset))
        items = [dataset[i] for i in range(start, stop)]
        batch = dict(inputs=torch.stack([i['inputs'] for i in items]),
                     data_samples=[i['data_samples'] for i in items])
        images = preprocessor(batch, False)['inputs']
        images, labels = transform(images, generator)
        feats = model.extract_feat(images)[-1]
        hits.append(model.head.task_heads.losses(feats.float(), labels)[1])
    model.train(training)
    means = 100 * torch.cat(hits).float().mean(0)
    return dict(zip(transform.task_names, means.tolist(), strict=True))


__all__ = [
    'browse', 'build_dataset', 'load_images', 'pick', 'pretext_accuracy',
    'pretext_arguments'
]
