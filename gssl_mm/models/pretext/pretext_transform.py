"""Composition of pretext tasks on one region an image."""
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gssl_mm.registry import TASK_UTILS

from ..utils.step_random import draw_global
from .base import PretextTask
from .gather_table import GatherTable, QuadrantTable
from .regions import ODD_POLICIES, quadrant_boxes, sample_boxes

REGIONS = ('quadrant', 'box', 'image')
BOXES = ('batch', 'image')
# Other terms of losses: loss_cls is the classifier's, loss_gate the gate's own
TAKEN_NAMES = ('cls', 'gate', 'earlier', 'student', 'distill', 'unlabeled',
               'trades')


class PretextDraw(NamedTuple):
    """What was drawn for a batch.

    Attributes:
        region (Tensor): int64 ``(N, 1)`` quadrants (0 for whole images), or
            ``(N, 3)`` boxes (top, left, side).
        params (Tensor): int64 ``(N, T)``, a column a task.
    """

    region: Tensor
    params: Tensor


def build_tasks(tasks: list) -> list[PretextTask]:
    """Build pretext tasks and check that their names differ.

    Args:
        tasks (list): Configs, type names or built tasks.

    Raises:
        ValueError: If there is none, a name repeats, or it can't be part of
            a key of the log.
        KeyError: If a type is not registered.
    """
    if not tasks:
        raise ValueError('a pretext transform needs at least one task')
    built = [task if isinstance(task, PretextTask) else TASK_UTILS.build(
        dict(type=task) if isinstance(task, str) else task) for task in tasks]
    names = [task.name for task in built]
    if len(set(names)) < len(names):
        raise ValueError(
            f'pretext task names must differ, but got {names}. Give one of '
            "them another name: dict(type=..., name='other')")
    for name in names:
        if (name in TAKEN_NAMES or 'loss' in name or '.' in name
                or hasattr(nn.ModuleDict(), name)):
            raise ValueError(
                f'a pretext task can not be called {name!r}. Its name becomes '
                "part of logged keys, of which the host sums all with 'loss'; "
                f'{TAKEN_NAMES} and names of methods of modules are taken, and '
                "'.' separates modules. Give it another name: "
                "dict(type=..., name='other')")
    return built


@TASK_UTILS.register_module()
class PretextTransform:
    """Transform one random region of each image and label the transformation.

    Paper: Mixture of Self-Supervised Learning, section 3 and figure 3.

    All tasks share the region. With all three tasks of the paper a quadrant is
    first flipped, then turned, then its channels are reordered, whatever the
    order of ``tasks``; that order is the order of the labels. Quadrant and
    parameters are uniform and independent, an image each.

    Args:
        tasks (list): Pretext tasks: configs, type names or objects.
        region (str): ``'quadrant'``, ``'box'`` (LoRot-I), or ``'image'``, the
            whole of it. Defaults to ``'quadrant'``.
        odd_policy (str): What to do with odd or non-square images, see
            :func:`~.regions.quadrant_boxes`. Defaults to ``'error'``.
        box (str): With ``region='box'``, one box for the ``'batch'``, as the
            LoRot code does, or one for each ``'image'``. Defaults to
            ``'batch'``.

    Shape:
        - images: ``(N, C, H, W)``, any dtype; C is 3, in RGB order, for tasks
          on colours. Any value range: values are moved.
        - returns: images like the input, and labels int64 ``(N, T)``.

    Raises:
        ValueError: If tasks repeat or do not work on this kind of region, or a
            switch has an unknown value.

    Example:
        >>> import torch
        >>> from gssl_mm.models.pretext import PretextTransform
        >>> transform = PretextTransform(
        ...     ['gssl_mm.LocalRotation', 'gssl_mm.LocalFlip'])
        >>> images, labels = transform(torch.rand(8, 3, 32, 32))
        >>> labels.shape
        torch.Size([8, 2])
    """

    def __init__(self, tasks: list, region: str = 'quadrant',
                 odd_policy: str = 'error', box: str = 'batch') -> None:
        for name, value, allowed in (('region', region, REGIONS),
                                     ('odd_policy', odd_policy, ODD_POLICIES),
                                     ('box', box, BOXES)):
            if value not in allowed:
                raise ValueError(
                    f'{name} must be one of {allowed}, but got {value!r}')
        self.tasks = build_tasks(tasks)
        for task in self.tasks:
            if task.region != region:
                raise ValueError(
                    f'{type(task).__name__} works on a {task.region}, but '
                    f'region={region!r} was asked for')
            if region == 'box' and not hasattr(task, 'apply_box'):
                raise ValueError(
                    f'{type(task).__name__} works on a box: it needs a method '
                    'apply_box(images, top, left, side, param)')
        if region == 'box' and len(self.tasks) > 1:
            raise ValueError("region='box' takes one task, got "
                             f'{[type(t).__name__ for t in self.tasks]}')
        self.region = region
        self.odd_policy = odd_policy
        self.box = box
        # (column of the parameters, task), in the order of application
        self._order = sorted(
            enumerate(self.tasks), key=lambda pair: pair[1].priority)
        probe = torch.zeros(1, dtype=torch.int64)
        self._movable = all(
            task.index(probe, 2, 2) is not None for task in self.tasks)
        self._tables: dict = {}

    @property
    def task_names(self) -> list[str]:
        """Names of the tasks in the order of the label columns."""
        return [task.name for task in self.tasks]

    def __call__(self, images: Tensor,
                 generator: torch.Generator | None = None
                 ) -> tuple[Tensor, Tensor]:
        """Draw, transform and label a batch; in a distributed run, this
        process's share of the draws for the global batch.
        """
        size = images.shape[-2:]
        draw = PretextDraw(*draw_global(
            len(images), lambda n: self.sample(n, size, generator)))
        draw = self._to(draw, images.device)
        return self.apply(images, draw), self.labels(draw)

    def sample(self, n: int, size: tuple[int, int],
               generator: torch.Generator | None = None) -> PretextDraw:
        """Draw regions and parameters for ``n`` images of ``size`` (H, W)."""
        generator = generator or torch.default_generator
        if self.region == 'box':
            shared = self.box == 'batch'
            region = sample_boxes(n, *size, shared, generator)
        elif self.region == 'image':
            region = torch.zeros(n, 1, dtype=torch.int64)
        else:
            region = torch.randint(4, (n, 1), generator=generator)
        params = [task.sample(n, generator) for task in self.tasks]
        return PretextDraw(region, torch.stack(params, 1))

    def labels(self, draw: PretextDraw) -> Tensor:
        """Labels of a draw, int64 ``(N, T)``."""
        region = draw.region[:, 0]
        return torch.stack([
            task.label(draw.params[:, i], region)
            for i, task in enumerate(self.tasks)
        ], 1)

    def apply(self, images: Tensor, draw: PretextDraw) -> Tensor:
        """Transform a batch by a given draw; the input is not modified."""
        if self.region == 'box':
            return self.tasks[0].apply_box(
                images, *draw.region.unbind(1), draw.params[:, 0])
        height, width = images.shape[-2:]
        if self.region == 'image':
            return self._apply_each(images, [(0, 0, height, width)], draw)
        boxes = quadrant_boxes(height, width, self.odd_policy)
        if self._movable and images.size(1) == 3:
            table = self._table(boxes, height, width, images.device)
            return table(images, draw.region[:, 0], self._combo(draw.params))
        return self._apply_each(images, boxes, draw)

    def _apply_each(self, images: Tensor, boxes: list,
                    draw: PretextDraw) -> Tensor:
        """Run tasks that change values, quadrant by quadrant."""
        out = images.clone()
        for quadrant, (top, left, rows, cols) in enumerate(boxes):
            spot = (..., slice(top, top + rows), slice(left, left + cols))
            patch = images[spot]
            for column, task in self._order:
                patch = task.apply(patch, draw.params[:, column])
            chosen = (draw.region[:, 0] == quadrant)[:, None, None, None]
            out[spot] = torch.where(chosen, patch, images[spot])
        return out

    def _combo(self, params: Tensor) -> Tensor:
        """Number of a parameter combination, the last task varying fastest."""
        combo = torch.zeros_like(params[:, 0])
        for column, task in self._order:
            combo = combo * task.num_params + params[:, column]
        return combo

    def _table(self, boxes: list, height: int, width: int,
               device: torch.device) -> GatherTable | QuadrantTable:
        key = (height, width, device)
        if key not in self._tables:
            tasks = [task for _, task in self._order]
            self._tables[key] = (
                QuadrantTable(tasks, height // 2, device)
                if height == width and height % 2 == 0 else
                GatherTable(tasks, boxes, height, width, device))
        return self._tables[key]

    @staticmethod
    def _to(draw: PretextDraw, device: torch.device) -> PretextDraw:
        """Move a draw in one copy that does not wait for the device."""
        packed = torch.cat(draw, 1).to(device, non_blocking=True)
        return PretextDraw(*packed.split(
            [draw.region.size(1), draw.params.size(1)], 1))


def build_pretext_transform(cfg: dict) -> PretextTransform:
    """Build a pretext transform.

    Args:
        cfg (dict): Arguments of :class:`PretextTransform`, or of the subclass
            that ``type`` names.
    """
    return TASK_UTILS.build({'type': PretextTransform, **cfg})
