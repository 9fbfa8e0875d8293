"""Classifiers that train on attacked batches."""
from collections.abc import Callable, Sequence

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.structures import DataSample
from torch import Tensor

from gssl_mm.registry import MODELS, TASK_UTILS

from ..attacks.errors import PixelSpaceError
from ..attacks.functional import check_logits
from ..attacks.modes import attack_mode
from ..attacks.pgd import PGD
from ..attacks.pixel_model import pixel_affine
from ..utils.class_targets import class_targets
from ..utils.precision import float32_region
from ..utils.step_random import draw_global, step_generator

MODES = ('train', 'eval')
STREAM = 'attack'


@MODELS.register_module()
class AdversarialClassifier(ImageClassifier):
    r"""Image classifier whose training batches are attacked first.

    Paper: Mixture of Self-Supervised Learning, section 4.3 and table 2; Towards
    Deep Learning Models Resistant to Adversarial Attacks, equation 2.

    The preprocessor gives pixels in [0, 1]; ``(x - mean) / std`` is a part of
    the network, so that the attack's ball and range are those of pixels. The
    pretext transform comes before the attack, and the loss is that of the
    attacked batch alone. With a :class:`GatedMultiTaskHead` the attack ascends
    :math:`\sum_i (\ell_i + w \sum_n g_n \ell_{n,i})`, the gate's weights g
    recomputed at each step as constants; with any other head
    :math:`\sum_i \ell_i` on its logits.

    Random starts depend on (seed, iteration) and are drawn for the global
    batch, so that several processes train what one trains.

    Note:
        In the released code the attack runs on batch statistics and moves the
        running ones with each of its forward passes, and its pretext weight is
        0.1 whatever lambda is: ``attack_bn='train'``, ``attack_ssl=0.1``, the
        defaults. D9 and D10 are switches of :class:`PGD`.

    Args:
        *args: As the host's ``ImageClassifier``.
        attack (dict, optional): Config of a :class:`PGD` that is not targeted
            and has no restarts. Defaults to None, no attack: normal training of
            a model of pixels.
        attack_bn (str): ``'train'``: the network is attacked in the mode it
            trains in; ``'eval'``: with running statistics, which the attack
            leaves alone. Defaults to ``'train'``.
        attack_ssl (bool | float): Weight w of the pretext losses in the
            attack; True for 0.1, False for 0. Defaults to True.
        mean (Sequence[float]): Subtracted from pixels in [0, 1]. Defaults to
            0.5 for each channel.
        std (Sequence[float]): Divides them, positive. Defaults to 0.5: with
            0.5 / 0.5 the network sees 2 x - 1, as in the released code.
        **kwargs: As the host's ``ImageClassifier``.

    Shape:
        - inputs: float32 ``(N, C, H, W)`` in [0, 1], in ``forward``, ``loss``,
          ``predict`` and ``extract_feat`` alike.

    Raises:
        PixelSpaceError: If the data preprocessor does not divide by 255 and
            nothing else, or mean and std are not those of pixels in [0, 1].
        ValueError: If a switch has an unknown value, or the attack is targeted
            or has restarts.

    Example:
        >>> model = dict(
        ...     type='gssl_mm.AdversarialClassifier',
        ...     backbone=dict(type='gssl_mm.WideResNet', depth=40,
        ...                   widen_factor=2),
        ...     neck=dict(type='mmpretrain.GlobalAveragePooling'),
        ...     head=dict(type='mmpretrain.LinearClsHead', num_classes=10,
        ...               in_channels=128),
        ...     attack=dict(type='gssl_mm.PGD', num_steps=10),
        ...     data_preprocessor=dict(
        ...         type='gssl_mm.PretextDataPreprocessor',
        ...         mean=[0., 0., 0.], std=[255., 255., 255.]))
    """

    def __init__(self, *args, attack: dict | None = None,
                 attack_bn: str = 'train', attack_ssl: bool | float = True,
                 mean: Sequence[float] = (0.5, 0.5, 0.5),
                 std: Sequence[float] = (0.5, 0.5, 0.5), **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if attack_bn not in MODES:
            raise ValueError(
                f'attack_bn must be one of {MODES}, but got {attack_bn!r}')
        if attack_ssl < 0:
            raise ValueError(
                f'attack_ssl must be at least 0, but got {attack_ssl}')
        self._check_normalisation(mean, std)
        self.attack = TASK_UTILS.build(attack) if isinstance(
            attack, dict) else attack
        if self.attack is not None and (
                not isinstance(self.attack, PGD) or self.attack.targeted
                or self.attack.restarts > 1):
            raise ValueError(
                'training ascends the loss of the true class from one start: '
                'attack must be an untargeted gssl_mm.PGD with restarts=1')
        self.attack_bn = attack_bn
        self.attack_ssl = 0.1 if attack_ssl is True else float(attack_ssl)
        for name, value in (('pixel_mean', mean), ('pixel_std', std)):
            value = torch.tensor(value, dtype=torch.float32).view(-1, 1, 1)
            self.register_buffer(name, value, persistent=False)

    def _check_normalisation(self, mean: Sequence[float],
                             std: Sequence[float]) -> None:
        if not (0 <= min(mean) and max(mean) <= 1
                and 0 < min(std) and max(std) <= 1):
            raise PixelSpaceError(
                f'mean={mean} and std={std} normalise pixels in [0, 1]: a mean '
                'is from 0 to 1, a std above 0 and at most 1. Divide values of '
                'the 0 to 255 scale by 255')
        if pixel_affine(self.data_preprocessor) is not None:
            raise PixelSpaceError(
                f'{type(self).__name__} attacks pixels in [0, 1] and '
                'normalises them itself. Set data_preprocessor=dict('
                'mean=[0, 0, 0], std=[255, 255, 255]) and give mean and std '
                '(on the 0 to 1 scale) to the model')

    def plain_preprocessor(self) -> dict:
        """Mean and std of the ordinary classifier with the same weights.

        Returns:
            dict: ``mean`` and ``std`` on the 0 to 255 scale, for the data
            preprocessor of an ``ImageClassifier``.
        """
        return {key: (255 * value.flatten()).tolist() for key, value in (
            ('mean', self.pixel_mean), ('std', self.pixel_std))}

    def extract_feat(self, inputs: Tensor, stage: str = 'neck') -> tuple:
        """Normalise pixels in [0, 1] and extract features."""
        inputs = (inputs - self.pixel_mean.to(inputs)) / self.pixel_std.to(
            inputs)
        return super().extract_feat(inputs, stage)

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict:
        """Attack the batch and return the head's losses on what came out."""
        objective = self.objective(data_samples, inputs.device)
        inputs = self.perturb(inputs, objective)
        return super().loss(inputs, data_samples)

    def objective(self, data_samples: list[DataSample],
                  device: torch.device) -> Callable[[Tensor], Tensor]:
        """What the attack ascends: pixels to losses ``(N,)``.

        A head takes part with a method ``pretext_objective(data_samples,
        device)``, which reads the labels once and returns a function from
        features to pretext losses ``(N,)``.
        """
        if self.attack is None:
            return lambda images: images.new_zeros(len(images))
        labels = class_targets(data_samples, device)
        build = getattr(self.head, 'pretext_objective', None)
        pretext = build(data_samples, device) if (
            build is not None and self.attack_ssl) else None

        def losses(images: Tensor) -> Tensor:
            feats = self.extract_feat(images)
            logits = check_logits(self.head(feats), len(images))
            with float32_region(device):
                total = self.attack.losses(logits, labels)
                if pretext is not None:
                    total = total + self.attack_ssl * pretext(feats)
                return total

        return losses

    @torch.no_grad()
    def perturb(self, images: Tensor, objective: Callable[[Tensor], Tensor],
                views: int = 1) -> Tensor:
        """Attack a training batch; images are left as they are.

        Args:
            images (Tensor): ``(views * N, C, H, W)`` in [0, 1], one block of N
                a view.
            objective (Callable): Images to losses, a row an image.
            views (int): Views of a sample. Defaults to 1.
        """
        if self.attack is None:
            return images
        noise = self._starts(images, views)
        training = None if self.attack_bn == 'train' else False
        with attack_mode(self, training):
            # On a GPU a bad gradient is reported by a later step: no waiting
            return self.attack.perturb(objective, images, noise, wait=False)

    def _starts(self, images: Tensor, views: int) -> Tensor | None:
        """This process's share of the starts of the global batch."""
        if not self.attack.random_start:
            return None
        generator = step_generator(STREAM)

        def draw(n: int) -> list[Tensor]:
            noise = self._draw(n * views, images.shape[1:], generator)
            return [noise.unflatten(0, (n, views))]

        noise, = draw_global(len(images) // views, draw)
        return noise.transpose(0, 1).flatten(0, 1)

    def _draw(self, n: int, shape: tuple,
              generator: torch.Generator) -> Tensor:
        return self.attack.draw_batch(n, shape, generator)
