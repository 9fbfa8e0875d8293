"""Projected gradient descent on the image, the attack of Madry et al."""
from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor

from gssl_mm.registry import TASK_UTILS

from . import functional as F
from .base import Attack, check_budget, check_pixels, is_module
from .gradient_check import GradientCheck
from .modes import attack_mode

NORMS = ('linf', 'l2')
CENTERS = ('clean', 'noised')
LOSSES = ('ce', 'dlr', 'margin')


@TASK_UTILS.register_module()
class PGD(Attack):
    r"""Projected gradient descent within an eps-ball, on pixels in [0, 1].

    Paper: Towards Deep Learning Models Resistant to Adversarial Attacks,
    section 2.1; Mixture of Self-Supervised Learning, section 4.3:
    :math:`x^{i+1} = clip_{[0,1]}(clip_{ball}(x^i + \alpha\,sign \nabla J))`
    from :math:`x^0 = x + U(-\epsilon, \epsilon)`, which is not clipped. With
    ``norm='l2'`` the step is along the normalised gradient, and the start is
    uniform in the ball.

    Note:
        D10: the released code projects on the ball around the *noised* start,
        so that an image may end up to 2 eps away from the clean one:
        ``center='noised'``. D9: its training step is 2/225, the paper's 2/255.

    Args:
        eps (float): Radius of the ball, in pixels of [0, 1]; in L2 that of the
            whole image. Defaults to 8/255.
        step_size (float): Length of a step, same unit. Defaults to 2/255.
        num_steps (int): Gradients, at least 0. Defaults to 10.
        norm (str): ``'linf'`` or ``'l2'``. Defaults to ``'linf'``.
        random_start (bool): Whether to start at a random point of the ball.
            Defaults to True.
        restarts (int): Runs with other starts. The worst counts: one that
            changes the predicted label, or that of the highest loss; an image
            whose label has changed is left out of the next run. Defaults to 1.
        center (str): ``'clean'`` or ``'noised'``. Defaults to ``'clean'``.
        loss (str): What is ascended: ``'ce'`` (cross-entropy), ``'dlr'``
            (difference of logits ratio) or ``'margin'`` (of logits). Defaults
            to ``'ce'``.
        targeted (bool): Go towards another class instead of away from the
            label: the most likely wrong one of the clean image, if ``targets``
            does not say which. Defaults to False.

    Shape:
        - images: ``(N, C, H, W)``, float32 or float64, in [0, 1].
        - returns: the same; in the ball and in [0, 1].

    Raises:
        PerturbationUnitsError: If an L-infinity ``eps`` or ``step_size`` is
            above 1.
        ValueError: If another argument is out of its range, or starts or
            targets do not fit the attack.
        NonFiniteGradientError: If a gradient is NaN or infinite.
        LogitsShapeError: If the model does not return logits ``(N, K)``.

    Example:
        >>> from gssl_mm.registry import TASK_UTILS
        >>> attack = TASK_UTILS.build(dict(
        ...     type='gssl_mm.PGD', eps=8 / 255, step_size=2 / 255,
        ...     num_steps=20))
        >>> net = torch.nn.Sequential(
        ...     torch.nn.Flatten(), torch.nn.Linear(48, 3))
        >>> images, labels = torch.rand(2, 3, 4, 4), torch.tensor([0, 2])
        >>> moved = attack(net, images, labels) - images
        >>> bool(moved.abs().max() < 8.01 / 255)
        True
    """

    def __init__(self, eps: float = 8 / 255, step_size: float = 2 / 255,
                 num_steps: int = 10, norm: str = 'linf',
                 random_start: bool = True, restarts: int = 1,
                 center: str = 'clean', loss: str = 'ce',
                 targeted: bool = False) -> None:
        for name, value, allowed in (('norm', norm, NORMS),
                                     ('center', center, CENTERS),
                                     ('loss', loss, LOSSES)):
            if value not in allowed:
                raise ValueError(
                    f'{name} must be one of {allowed}, but got {value!r}')
        check_budget(eps, step_size, norm)
        if num_steps < 0 or restarts < 1:
            raise ValueError('num_steps must be at least 0 and restarts at '
                             f'least 1, but got {num_steps} and {restarts}')
        if restarts > 1 and not random_start:
            raise ValueError(f'restarts={restarts} without random_start '
                             'repeat the same run. Set random_start=True')
        self.eps = eps
        self.step_size = step_size
        self.num_steps = num_steps
        self.norm = norm
        self.random_start = random_start
        self.restarts = restarts
        self.center = center
        self.loss = loss
        self.targeted = targeted
        self._check = GradientCheck()

    def draw_noise(self, shape: tuple,
                   generator: torch.Generator | None = None) -> Tensor | None:
        """Draw the starts of one image: ``(restarts, C, H, W)`` on the CPU."""
        if not self.random_start:
            return None
        return self.draw_batch(self.restarts, shape, generator)

    def draw_batch(self, n: int, shape: tuple,
                   generator: torch.Generator | None = None) -> Tensor:
        """Draw ``n`` points of the ball around 0: float32 on the CPU."""
        return F.uniform_noise((n, *shape), self.eps, self.norm, generator)

    def losses(self, logits: Tensor, labels: Tensor,
               targets: Tensor | None = None) -> Tensor:
        """What is ascended, for each sample ``(N,)``.

        Args:
            logits (Tensor): ``(N, K)``.
            labels (Tensor): int64 ``(N,)``; for the untargeted cross-entropy
                also float ``(N, K)`` shares.
            targets (Tensor, optional): int64 ``(N,)``, if targeted.
        """
        if self.targeted:
            if self.loss == 'dlr':
                return F.targeted_dlr(logits, labels, targets)
            one = F.cross_entropy if self.loss == 'ce' else F.margin
            return -one(logits, targets)
        one = dict(ce=F.cross_entropy, dlr=F.dlr, margin=F.margin)[self.loss]
        if self.loss != 'ce' and labels.ndim != 1:
            raise ValueError(
                f"loss={self.loss!r} needs one label an image, but the batch "
                "has shares of classes (Mixup?). Use loss='ce'")
        return one(logits, labels)

    def perturb(self, objective: Callable[[Tensor], Tensor], images: Tensor,
                noise: Tensor | None = None, wait: bool = True) -> Tensor:
        """Ascend any objective from one start.

        Args:
            objective (Callable): Images to losses ``(N,)``.
            images (Tensor): ``(N, C, H, W)`` in [0, 1]; not changed.
            noise (Tensor, optional): The start less the image. Defaults to
                None, start at the image.
            wait (bool): Whether a gradient that is not finite must raise in
                this call, see :class:`GradientCheck`. Defaults to True.
        """
        clean = images.detach()
        start = clean
        if noise is not None:
            start = clean + torch.empty_like(clean).copy_(
                noise, non_blocking=True)
        center = clean if self.center == 'clean' else start
        found, finite = F.ascend(objective, start, center, self.eps,
                                 self.step_size, self.num_steps, self.norm)
        self._check(finite, wait)
        return found

    @torch.no_grad()
    def __call__(self, model: Callable[[Tensor], Tensor], images: Tensor,
                 labels: Tensor, *, noise: Tensor | None = None,
                 targets: Tensor | None = None,
                 generator: torch.Generator | None = None) -> Tensor:
        """Perturb a batch; a module is in eval mode meanwhile.

        Args:
            model (Callable): Pixels in [0, 1] to logits ``(N, K)``.
            images (Tensor): ``(N, C, H, W)`` in [0, 1]; not changed.
            labels (Tensor): int64 ``(N,)``.
            noise (Tensor, optional): Starts, ``(restarts, N, C, H, W)``, or
                ``(N, C, H, W)`` for all restarts. Defaults to None, drawn.
            targets (Tensor, optional): int64 ``(N,)``, if targeted.
            generator (torch.Generator, optional): Of the starts.
        """
        check_pixels(images)
        if targets is not None and not self.targeted:
            raise ValueError('targets are given to an attack that is not '
                             'targeted. Set targeted=True')
        noise = self._starts(images, noise, generator)
        with attack_mode(model, False) if is_module(model) else nullcontext():
            if self.targeted and targets is None:
                logits = F.check_logits(model(images), len(images))
                targets = F.runner_up(logits, labels)
            goal = (labels, targets) if self.targeted else (labels, )
            if self.restarts > 1:
                return self._worst(model, images, goal, noise)
            return self._run(model, images, goal,
                             None if noise is None else noise[0])

    def _starts(self, images: Tensor, noise: Tensor | None,
                generator: torch.Generator | None) -> Tensor | None:
        """Starts ``(restarts, N, C, H, W)``, drawn if none are given."""
        shape = (self.restarts, *images.shape)
        if noise is None and self.random_start:
            return torch.stack([
                self.draw_batch(len(images), images.shape[1:], generator)
                for _ in range(self.restarts)])
        if noise is not None and noise.shape not in (shape, shape[1:]):
            raise ValueError(
                f'noise must be {shape} (restarts, N, C, H, W), or '
                f'{shape[1:]} for all restarts, but got {tuple(noise.shape)}')
        return None if noise is None else noise.expand(shape)

    def _run(self, model: Callable, images: Tensor, goal: tuple,
             noise: Tensor | None) -> Tensor:
        """Ascend this attack's own loss from one start."""
        def objective(x: Tensor) -> Tensor:
            logits = F.check_logits(model(x), len(x))
            return self.losses(logits, *goal)

        return self.perturb(objective, images, noise)

    def _worst(self, model: Callable, images: Tensor, goal: tuple,
               noise: Tensor) -> Tensor:
        """Run all restarts, each on the images that still stand."""
        worst = images.clone()
        highest = torch.full_like(goal[0], -torch.inf, dtype=images.dtype)
        for start in noise:
            rows = (highest != torch.inf).nonzero()[:, 0]
            if not len(rows):
                break
            part = tuple(values[rows] for values in goal)
            found = self._run(model, images[rows], part,
                              start[rows.to(start.device)])
            logits = F.check_logits(model(found), len(rows))
            losses = self.losses(logits, *part).to(highest)
            losses[logits.argmax(1) != part[0]] = torch.inf
            better = losses > highest[rows]
            worst[rows[better]] = found[better]
            highest[rows[better]] = losses[better]
        return worst
