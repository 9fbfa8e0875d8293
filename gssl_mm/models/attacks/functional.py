"""The arithmetic of gradient attacks: pure functions on batches.

Images are ``(N, C, H, W)`` floating-point pixels in [0, 1]; losses and logits
keep a row a sample.
"""
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ..utils.precision import at_least_float32
from .errors import LogitsShapeError

TINY = 1e-12


def check_logits(logits: Tensor, num_samples: int) -> Tensor:
    """Return logits in at least float32, or say that they are none.

    Raises:
        LogitsShapeError: If they are not a tensor ``(num_samples, K)``.
    """
    if not isinstance(logits, Tensor):
        got = f'a {type(logits).__name__}'
    elif logits.ndim != 2 or len(logits) != num_samples:
        got = f'shape {tuple(logits.shape)}'
    else:
        return at_least_float32(logits)
    raise LogitsShapeError(
        f'an attack needs logits (N, num_classes), here ({num_samples}, '
        f'num_classes), but the model returned {got}. Attack one '
        'classification head whose forward returns its logits')


def _need_classes(logits: Tensor, least: int, loss: str) -> None:
    if logits.size(1) < least:
        raise LogitsShapeError(
            f'the {loss} loss compares {least} logits, but the model has '
            f"{logits.size(1)} classes. Use loss='ce' or 'margin'")


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropies ``(N,)``, for int64 labels or ``(N, K)`` shares."""
    return F.cross_entropy(logits, target, reduction='none')


def margin(logits: Tensor, label: Tensor) -> Tensor:
    r"""Untargeted margin, :math:`\max_{k \ne y} z_k - z_y`, ``(N,)``."""
    own = label[:, None]
    others = logits.scatter(1, own, -torch.inf)
    return others.amax(1) - logits.gather(1, own)[:, 0]


def dlr(logits: Tensor, label: Tensor) -> Tensor:
    r"""Difference of logits ratio, ``(N,)``.

    Paper: Reliable evaluation of adversarial robustness with an ensemble of
    diverse parameter-free attacks, equation 6:
    :math:`(\max_{k \ne y} z_k - z_y) / (z_{\pi_1} - z_{\pi_3})` with
    :math:`\pi` the order of falling logits.
    """
    _need_classes(logits, 3, 'DLR')
    top = logits.topk(3, dim=1).values
    return margin(logits, label) / (top[:, 0] - top[:, 2] + TINY)


def targeted_dlr(logits: Tensor, label: Tensor, target: Tensor) -> Tensor:
    r"""Targeted difference of logits ratio, ``(N,)``.

    Equation 7 of the same paper: :math:`(z_t - z_y) / (z_{\pi_1} -
    (z_{\pi_3} + z_{\pi_4}) / 2)`.
    """
    _need_classes(logits, 4, 'targeted DLR')
    top = logits.topk(4, dim=1).values
    picked = logits.gather(1, torch.stack([label, target], 1))
    width = top[:, 0] - (top[:, 2] + top[:, 3]) / 2
    return (picked[:, 1] - picked[:, 0]) / (width + TINY)


def runner_up(logits: Tensor, label: Tensor) -> Tensor:
    """Most likely wrong class, int64 ``(N,)``."""
    return logits.scatter(1, label[:, None], -torch.inf).argmax(1)


def per_sample(values: Tensor, like: Tensor) -> Tensor:
    """Shape ``(N,)`` values so that they broadcast over images."""
    return values.view(-1, *[1] * (like.ndim - 1))


def norms(values: Tensor, norm: str) -> Tensor:
    """Norm of each sample, ``(N,)``; ``norm`` is ``'linf'`` or ``'l2'``."""
    flat = values.flatten(1)
    return flat.abs().amax(1) if norm == 'linf' else flat.norm(dim=1)


def ascent_direction(grad: Tensor, norm: str) -> Tensor:
    """Steepest ascent of unit norm: the sign, or the scaled gradient."""
    if norm == 'linf':
        return grad.sign()
    return grad / per_sample(norms(grad, 'l2').clamp_min(TINY), grad)


def project(images: Tensor, center: Tensor, eps: float, norm: str) -> Tensor:
    """Nearest point of the eps-ball around ``center``, then of [0, 1]."""
    if norm == 'linf':
        near = torch.minimum(torch.maximum(images, center - eps), center + eps)
    else:
        delta = images - center
        factor = (eps / norms(delta, 'l2').clamp_min(TINY)).clamp_max(1)
        near = center + delta * per_sample(factor, delta)
    return near.clamp(0, 1)


def uniform_noise(shape: tuple, eps: float, norm: str,
                  generator: torch.Generator | None = None) -> Tensor:
    """Draw uniformly from the eps-ball: float32 on the CPU.

    Args:
        shape (tuple): ``(N, C, H, W)``.
        eps (float): Radius.
        norm (str): ``'linf'``, or ``'l2'``: a random direction with radius
            ``eps * u^(1 / CHW)``.
        generator (torch.Generator, optional): Of the draws.
    """
    if norm == 'linf':
        return (2 * torch.rand(shape, generator=generator) - 1) * eps
    direction = ascent_direction(
        torch.randn(shape, generator=generator), 'l2')
    volume = direction[0].numel() if len(direction) else 1
    radius = torch.rand(shape[0], generator=generator)**(1 / volume)
    return direction * per_sample(eps * radius, direction)


def ascend(objective: Callable[[Tensor], Tensor], start: Tensor,
           center: Tensor, eps: float, step_size: float, num_steps: int,
           norm: str) -> tuple[Tensor, Tensor]:
    r"""Projected gradient ascent on the sum of an objective.

    :math:`x^{i+1} = clip_{[0,1]}(clip_{ball}(x^i + \alpha\,d(\nabla J)))`
    with :math:`d` the sign or the normalised gradient, :math:`J` the sum.

    Args:
        objective (Callable): Images to losses ``(N,)``.
        start (Tensor): First point, not changed.
        center (Tensor): Centre of the ball, not changed.
        eps (float): Radius.
        step_size (float): Length of a step.
        num_steps (int): Number of gradients.
        norm (str): ``'linf'`` or ``'l2'``.

    Returns:
        tuple[Tensor, Tensor]: The last point, without gradient, and a bool
        scalar: whether all gradients were finite. It stays on the device, so
        that nothing waits for it here.
    """
    images = start.detach()
    finite = torch.ones((), dtype=torch.bool, device=images.device)
    for _ in range(num_steps):
        images = images.detach().requires_grad_()
        with torch.enable_grad():
            total = objective(images).sum()
            grad, = torch.autograd.grad(total, images)
        with torch.no_grad():
            # sign(nan) is 0: without this, such an attack would just be weak
            finite = finite & grad.isfinite().all()
            step = step_size * ascent_direction(grad, norm)
            images = project(images.detach() + step, center, eps, norm)
    return images.detach(), finite
