"""Proof that two classifiers compute the same."""
from typing import Any

import torch
from mmpretrain.models import ImageClassifier
from torch import Tensor, nn

from gssl_mm.models.heads import primary_head

from .errors import PublishError

# Largest difference of logits, relative to the largest logit
TOLERANCE = 1e-5


@torch.no_grad()
def logits_of(model: ImageClassifier, images: Tensor) -> Tensor:
    """Logits of uint8 images ``(N, C, H, W)``, as the test loop has them."""
    model.eval()
    preprocessor = model.data_preprocessor
    turned = getattr(preprocessor, 'pretext_as_label', False)
    if turned:  # pre-training on rotations turns test images too
        preprocessor.pretext_as_label = False
    # One memory format, so that equal operations give equal numbers
    inputs = preprocessor(
        dict(inputs=images), False)['inputs'].contiguous()
    if turned:
        preprocessor.pretext_as_label = True
    return model(inputs)


def check_same_logits(model: ImageClassifier, plain: ImageClassifier,
                      size: int = 32) -> float:
    """Compare two models on noise.

    Args:
        model (ImageClassifier): The whole model, in the wanted inference.
        plain (ImageClassifier): The plain one.
        size (int): Side of the images. Defaults to 32.

    Returns:
        float: Largest difference of logits.

    Raises:
        PublishError: It is above 1e-5 of the largest logit.
    """
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(
        256, (3, 3, size, size), dtype=torch.uint8, generator=generator)
    wanted, got = logits_of(model, images), logits_of(plain, images)
    difference = float((wanted - got).abs().max())
    if not difference <= TOLERANCE * max(1., float(wanted.abs().max())):
        raise PublishError(
            f'logits of the plain classifier differ by {difference:.2e} from '
            f'those of {type(model).__name__}. Its classification does more '
            'than backbone, neck and primary head: it can not be published '
            'as a plain ImageClassifier.')
    return difference


def set_inference(model: nn.Module, inference: str | None) -> None:
    """Switch the inference of joint labels, where there are some."""
    if inference is not None:
        primary_head(model).inference = inference


def input_size(cfg: Any) -> int:
    """Side of the network's input by the test pipeline, 32 if it is silent."""
    loader = cfg.get('test_dataloader') or {}
    pipeline = (loader.get('dataset') or {}).get('pipeline') or []
    for step in reversed(pipeline):
        for key in ('crop_size', 'scale', 'size'):
            value = step.get(key)
            if isinstance(value, int):
                return value
            if isinstance(value, list | tuple):
                return int(value[0])
    return 32


__all__ = ['check_same_logits', 'input_size', 'logits_of', 'set_inference']
