"""PGD of this package and of torchattacks on the same network and images."""
import argparse
import copy
from collections.abc import Callable

import torch
from bench_training import read_recipe
from mmengine.config import Config
from mmengine.runner import load_checkpoint
from torch import Tensor

from gssl_mm.engine.channels_last import convert_to_channels_last
from gssl_mm.models.attacks import PGD, PixelModel
from gssl_mm.registry import DATASETS, MODELS
from gssl_mm.tooling.errors import OptionError

EPS, STEP, STEPS = 8 / 255, 2 / 255, 20


def recipe(args: argparse.Namespace) -> Config:
    """The config, reduced as the options say."""
    cfg = read_recipe(f'../adversarial/{args.config}', args)
    if args.widen_factor:
        width = 64 * args.widen_factor
        cfg.model.backbone.widen_factor = args.widen_factor
        cfg.model.head.in_channels = width
        if 'primary' in cfg.model.head:
            cfg.model.head.primary.in_channels = width
    return cfg


def load_weights(model: torch.nn.Module, args: argparse.Namespace) -> None:
    """Load the checkpoint, all of it.

    Raises:
        OptionError: It is not one of ``--config``.
    """
    try:
        load_checkpoint(model, str(args.checkpoint), map_location='cpu',
                        strict=True)
    except RuntimeError as error:
        raise OptionError(
            f'{args.checkpoint} is no checkpoint of {args.config}: give the '
            f'config it was trained with. {error}') from error


def load_problem(args: argparse.Namespace) -> tuple:
    """The network, and images with labels in batches."""
    cfg = recipe(args)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    if args.checkpoint:
        load_weights(model, args)
    pixel = PixelModel(model.to(args.device)).eval()
    if args.data_root:
        data = DATASETS.build(dict(
            cfg.test_dataloader.dataset, data_root=args.data_root,
            verify_md5=False, indices=args.images))
        images = torch.from_numpy(data.images).permute(0, 3, 1, 2) / 255
        labels = torch.from_numpy(data.labels)
    else:
        images = torch.randint(256, (args.images, 3, 32, 32)) / 255
        labels = None
    batches = [part.to(args.device, torch.float32).contiguous()
               for part in images.split(args.eval_batch)]
    if args.checkpoint and labels is not None:
        return pixel, batches, labels.to(args.device).split(args.eval_batch)
    with torch.no_grad():
        return pixel, batches, [pixel(part).argmax(1) for part in batches]


def theirs(model: torch.nn.Module, num_steps: int = STEPS) -> Callable:
    """Torchattacks' PGD of a model."""
    import torchattacks
    return torchattacks.PGD(model, EPS, STEP, num_steps)


def their_start(images: Tensor, seed: int) -> Tensor:
    """The start less the image that torchattacks draws after this seed."""
    torch.manual_seed(seed)
    noise = torch.empty_like(images).uniform_(-EPS, EPS)
    return (images + noise).clamp(0, 1) - images


def accuracy(model: Callable, found: list, labels: list) -> float:
    """Percent of the images that are right."""
    with torch.no_grad():
        right = sum(int((model(x).argmax(1) == y).sum())
                    for x, y in zip(found, labels, strict=True))
    return 100 * right / sum(len(y) for y in labels)


class Evaluation:
    """PGD-20 of all images in one of the ways that are compared."""

    def __init__(self, problem: tuple, channels_last: bool = False,
                 low: bool = False, skips: bool = False) -> None:
        model, batches, self.labels = problem
        model = copy.deepcopy(model.model)
        layout = torch.contiguous_format
        if channels_last:
            convert_to_channels_last(model)
            layout = torch.channels_last
        self.model = PixelModel(
            model, torch.bfloat16 if low else torch.float32).eval()
        self.batches = [x.contiguous(memory_format=layout) for x in batches]
        self.attack, self.skips = PGD(EPS, STEP, STEPS), skips
        self.right = 0

    @torch.no_grad()
    def run(self) -> None:
        """Count the images that are right with and without the attack."""
        right = torch.zeros((), dtype=torch.int64)
        for images, labels in zip(self.batches, self.labels, strict=True):
            generator = torch.Generator().manual_seed(0)
            noise = self.attack.draw_batch(
                len(images), images.shape[1:], generator)
            stands = self.model(images).argmax(1) == labels
            if self.skips:
                rows = stands.nonzero()[:, 0]
                images, labels = images[rows], labels[rows]
                noise, stands = noise[rows.cpu()], stands[rows]
            if len(images):
                found = self.attack(self.model, images, labels, noise=noise)
                stands = stands & (self.model(found).argmax(1) == labels)
            right = right + stands.sum().cpu()
        self.right = int(right)


class TheirEvaluation(Evaluation):
    """The same by torchattacks, which has none of the gains."""

    def __init__(self, problem: tuple) -> None:
        super().__init__(problem)
        self.other = theirs(self.model)

    @torch.no_grad()
    def run(self) -> None:
        """Count as :class:`Evaluation` does."""
        right = 0
        for images, labels in zip(self.batches, self.labels, strict=True):
            stands = self.model(images).argmax(1) == labels
            with torch.enable_grad():
                found = self.other(images, labels)
            right += int((stands & (self.model(found).argmax(1)
                                    == labels)).sum())
        self.right = right
