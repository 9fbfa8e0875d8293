"""Classification head with pretext tasks beside it."""
from collections.abc import Callable

import torch
from mmengine.model import BaseModule
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from gssl_mm.registry import MODELS

from ..gates import Agreement, GateOutput, measure_agreement
from ..pretext import build_tasks
from ..utils.class_targets import class_targets
from ..utils.precision import as_weights, float32_region, pooled_feature
from .feature_gradients import (
    check_primary,
    primary_gradients,
    task_gradients,
)
from .primary_head import classification_loss
from .task_heads import TaskHeads


@MODELS.register_module()
class GatedMultiTaskHead(BaseModule):
    r"""Train any classification head together with gated pretext tasks.

    Paper: Mixture of Self-Supervised Learning, equation 3:
    :math:`L = L_C + \lambda \sum_n g_n L_n`, where ``L_C`` is the loss of the
    primary head, ``L_n`` the mean cross-entropy of task n on the same pooled
    feature, and g the gate's weights.

    ``forward`` and ``predict`` are the primary head's: the pretext heads and
    the gate exist in training only. Everything runs in float32 under autocast.

    Note:
        D5: with LDAM the released code gives the pretext tasks cosine heads,
        and takes the cross-entropy on unscaled cosines: ``task_head='cosine'``.

    Args:
        primary (dict): Config of a classification head.
        tasks (list): Pretext tasks, the same list as in the data preprocessor.
        in_channels (int): Channels D of the pooled feature.
        gate (dict, optional): Config of a gate. Defaults to None, a
            ``UniformGate`` (the sum of the task losses).
        loss_weight (float): Weight lambda of the pretext loss, at least 0.
            Defaults to 0.1.
        task_head (str): ``'linear'`` or ``'cosine'``. Defaults to
            ``'linear'``.
        task_init (str): Initialisation of linear task heads, ``'default'`` or
            ``'kaiming'``. Defaults to ``'default'``.
        log_agreement (bool): Whether to log ``agree_<task>``, the cosine
            between the gradients of the task's and the classification loss at
            the features of the batch (:class:`Agreement`), with any gate. It
            is logged with an ``AlignedGate`` anyway. Defaults to False.
        init_cfg (dict, optional): Initialisation config of MMEngine.

    Shape:
        - feats: tuple whose last item is ``(N, D)``, or ``(N, M, D)`` of which
          index 0 is read.
        - forward returns logits ``(N, num_classes)``.

    Raises:
        ValueError: If ``loss_weight`` is negative, tasks repeat, or a batch
            carries no or other pretext labels than this head was built for.
        NoClosedFormError: If gradients are to be compared and the primary head
            is not one of those for which they are known.

    Example:
        >>> from gssl_mm.registry import MODELS
        >>> head = MODELS.build(dict(
        ...     type='gssl_mm.GatedMultiTaskHead', in_channels=64,
        ...     primary=dict(type='LinearClsHead', num_classes=10,
        ...                  in_channels=64),
        ...     tasks=[dict(type='gssl_mm.LocalRotation'),
        ...            dict(type='gssl_mm.LocalFlip')],
        ...     gate=dict(type='gssl_mm.SoftmaxGate')))
    """

    def __init__(self, primary: dict, tasks: list, in_channels: int,
                 gate: dict | None = None, loss_weight: float = 0.1,
                 task_head: str = 'linear', task_init: str = 'default',
                 log_agreement: bool = False,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        if not loss_weight >= 0:
            raise ValueError(
                f'loss_weight must be at least 0, but got {loss_weight}')
        self.num_task_classes = {
            task.name: task.num_classes for task in build_tasks(tasks)}
        self.loss_weight = loss_weight
        self.primary = (primary if isinstance(primary, nn.Module)
                        else MODELS.build(primary))
        self.task_heads = TaskHeads(
            in_channels, self.num_task_classes, task_head, task_init)
        self.gate = MODELS.build(
            gate or dict(type='gssl_mm.UniformGate'),
            default_args=dict(in_channels=in_channels,
                              num_tasks=len(self.num_task_classes)))
        self.gate.set_task_classes(list(self.num_task_classes.values()))
        self.compares = log_agreement or self.gate.needs_agreement
        if self.compares:
            check_primary(self.primary)

    def pre_logits(self, feats: tuple) -> Tensor:
        """Return what the primary head classifies, ``(N, D)``."""
        return self.primary.pre_logits(self.for_primary(feats))

    def for_primary(self, feats: tuple) -> tuple[Tensor, ...]:
        """What the primary head reads: all views only if it knows views."""
        feats = as_weights(self, feats)
        if feats[-1].ndim != 3 or hasattr(self.primary, 'num_views'):
            return feats
        return (pooled_feature(feats), )

    def forward(self, feats: tuple) -> Tensor:
        """Return the primary head's logits ``(N, num_classes)``."""
        feats = self.for_primary(feats)
        with float32_region(feats[-1].device):
            return self.primary(feats)

    def predict(self, feats: tuple,
                data_samples: list[DataSample] | None = None) -> list:
        """Return the primary head's predictions."""
        feats = self.for_primary(feats)
        with float32_region(feats[-1].device):
            return self.primary.predict(feats, data_samples)

    def loss(self, feats: tuple, data_samples: list[DataSample],
             **kwargs) -> dict:
        """Return the loss terms and what is logged beside them.

        Returns:
            dict[str, Tensor]: ``loss_cls`` and, for each task, ``loss_<task>``
            (the weighted terms that are summed), ``ce_<task>`` (mean
            cross-entropy in nats), ``gate_<task>`` (weight) and
            ``acc_<task>`` (accuracy in percent); ``loss_gate`` where the gate
            has a term of its own, ``agree_<task>`` where gradients are
            compared.
        """
        feats = as_weights(self, feats)
        losses = classification_loss(self, feats, data_samples, **kwargs)
        with float32_region(feats[-1].device):
            labels = self._labels(data_samples, feats[-1].device)
            feat = pooled_feature(feats)
            agreement = self._agreement(feat, data_samples, labels)
            pretext = self.pretext_loss(feat, labels, agreement)
        _check_names(losses, pretext)
        return {**losses, **pretext}

    def pretext_objective(
            self, data_samples: list[DataSample],
            device: torch.device) -> Callable[[tuple], Tensor]:
        """What an attack on the pretext tasks of a batch ascends.

        Args:
            data_samples (list[DataSample]): With the batch's pretext labels,
                which are stacked once.
            device (torch.device): Of the features.

        Returns:
            Callable: Features to pretext losses of the samples, float32
            ``(N,)``: the cross-entropies under the gate's weights, which are
            computed anew and are constants to the gradient; without
            ``loss_weight``.
        """
        labels = self._labels(data_samples, device)

        def losses(feats: tuple) -> Tensor:
            with float32_region(device):
                feat = pooled_feature(as_weights(self, feats))
                task_losses, _ = self.task_heads.losses(feat, labels)
                agreement = None
                if self.gate.needs_agreement:
                    agreement = self._agreement(feat, data_samples, labels)
                weights = self.gate.fixed_weights(
                    feat, task_losses, agreement)
                return (weights * task_losses).sum(1)

        return losses

    def pretext_loss(self, feat: Tensor, labels: Tensor,
                     agreement: Agreement | None = None) -> dict:
        """Weighted pretext terms and what is logged, as in :meth:`loss`.

        Args:
            feat (Tensor): float32 ``(N, D)``.
            labels (Tensor): int64 ``(N, T)``.
            agreement (Agreement, optional): Of the gradients of these images'
                losses, where it is known. Defaults to None.
        """
        task_losses, hits = self.task_heads.losses(feat, labels)
        mixed = GateOutput(*self.gate(feat, task_losses, agreement))
        columns = {
            'loss': self.loss_weight * mixed.terms,
            'ce': task_losses.detach().mean(0),
            'gate': mixed.weights,
            'acc': 100 * hits.float().mean(0),
        }
        if agreement is not None:
            columns['agree'] = agreement.batch
        losses = {f'{key}_{name}': value
                  for key, values in columns.items()
                  for name, value in zip(self.num_task_classes,
                                         values.unbind(0), strict=True)}
        if mixed.penalty is not None:
            losses['loss_gate'] = self.loss_weight * mixed.penalty
        return losses

    def _agreement(self, feat: Tensor, data_samples: list,
                   labels: Tensor) -> Agreement | None:
        """Compare the gradients of a batch, where somebody asks for it."""
        if not self.compares:
            return None
        feat = feat.detach()
        target = class_targets(data_samples, feat.device)
        return measure_agreement(
            primary_gradients(self.primary, feat, target),
            task_gradients(self.task_heads, feat, labels))

    def _labels(self, data_samples: list, device: torch.device) -> Tensor:
        """Stack the pretext labels of a batch, int64 ``(N, T)``."""
        first = data_samples[0]
        if 'pretext_labels' not in first:
            raise ValueError(
                f'{type(self).__name__} needs pretext labels, but the batch '
                'has none. Set data_preprocessor=dict(type='
                "'gssl_mm.PretextDataPreprocessor', pretext=dict(tasks=...)) "
                'with the tasks of the head')
        found = first.get('pretext_tasks')
        wanted = list(self.num_task_classes.items())
        if found is not None and list(found) != wanted:
            raise ValueError(
                f'the data preprocessor labels {list(found)} (task, classes), '
                f'but the head was built for {wanted}. Give both the same '
                'tasks in the same order')
        labels = torch.stack([s.pretext_labels for s in data_samples])
        if labels.size(1) != len(wanted):
            raise ValueError(
                f'{labels.size(1)} pretext labels an image, but the head was '
                f'built for {len(wanted)} tasks: {wanted}')
        return labels.to(device)


def _check_names(losses: dict, pretext: dict) -> None:
    """Refuse pretext terms that would take the place of others."""
    shared = sorted(set(losses) & set(pretext))
    if shared:
        raise ValueError(
            f'the primary head returns {shared} too. Give that pretext task '
            "another name: dict(type=..., name='other')")
