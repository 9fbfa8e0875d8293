"""Classification by joint labels of class and transformation."""
from collections.abc import Sequence

import torch
from mmpretrain.models.heads import ClsHead
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from gssl_mm.registry import MODELS

from ..utils.class_targets import class_targets
from ..utils.precision import float32_region, pooled_feature
from . import joint_functional as F
from .cosine_cls_head import CosineLinear
from .joint_errors import ViewCountError
from .joint_parts import build_joint_loss, check_saved_views

MODES = ('single', 'aggregated', 'distilled')
HEADS = ('linear', 'cosine')


@MODELS.register_module()
class JointLabelHead(ClsHead):
    r"""Classify every view of an image by the joint label of class and view.

    Paper: Self-supervision of Feature Transformation for Further Improving
    Supervised Learning, equations 3 to 6 (T masks); Self-supervised Label
    Augmentation via Input Transformations, section 3 (four rotations).

    An image has V views: rotation k under mask j is view ``k (T + 1) + j``, the
    joint label of class y is ``V y + v``. The loss is the mean cross-entropy of
    all views of the last stage, plus ``beta`` times that of each stage before
    it. With a student the cross-entropy of view 0 and its divergence from the
    aggregated prediction are added, each with weight 1:

    .. math::
        L = L_m + \beta L_{m-1} + CE(z_s, y) + KL(P_{AG} \| softmax(z_s))

    ``forward`` returns logits ``(N, num_classes)`` of the chosen ``inference``:

    - ``'single'``: view 0 by the last stage, as large as a plain classifier
      (:func:`to_plain_head`).
    - ``'aggregated'``: the mean over views of the logits that match the view,
      then the mean over stages of the probabilities (equation 4).
    - ``'distilled'``: the student on view 0.

    ``predict`` adds the prediction of every mode that there is to the data
    samples, for ``InferenceModeAccuracy``.

    Note:
        D20: equation 4 averages probabilities, ``ag_mode='prob_mean'``; the
        listing may have summed logits, ``'logit_sum'``. D21: equation 6 writes
        the divergence the other way round than released code of its
        predecessor, which is the default; the teacher has no gradient in both.

    Args:
        num_classes (int): Classes K of the data.
        in_channels (int | Sequence[int]): Channels of the pooled feature of
            each stage, the last one last. An int is the last stage alone.
        num_masks (int): Masks T beside the unmasked map. Defaults to 4.
        num_rotations (int): 4 with ``RotatedBackbone``. Defaults to 1.
        beta (float): Weight of the stages before the last. Defaults to 1.
        inference (str): Defaults to ``'single'``.
        student (bool, optional): Whether to train the student; None where
            ``inference`` is ``'distilled'``. Defaults to None.
        ag_mode (str): ``'prob_mean'`` or ``'logit_sum'``. Defaults to
            ``'prob_mean'``.
        kl_dir (str): ``'teacher_student'`` or ``'student_teacher'``. Defaults
            to ``'teacher_student'``.
        head (str): ``'linear'`` or ``'cosine'``. Defaults to ``'linear'``.
        scale (float): Factor on cosines. Defaults to 30.
        loss (dict, optional): Config of the loss of all terms but the
            divergence. Losses with class counts repeat them for the views.
            Defaults to None, ``CrossEntropyLoss``.
        init_cfg (dict, optional): Initialisation config of MMEngine.

    Shape:
        - feats: tuple over stages of ``(N, V, C)``.
        - returns: logits float32 ``(N, num_classes)``.

    Raises:
        ValueError: If a switch has an unknown value.
        JointWidthError: If a loss or a checkpoint has another number of masks
            or rotations.
        ViewCountError: If features have other stages, views or channels.

    Example:
        >>> neck = dict(type='gssl_mm.FeatureMaskNeck')
        >>> head = dict(
        ...     type='gssl_mm.JointLabelHead', num_classes=100,
        ...     in_channels=(128, 256), inference='distilled')
    """

    def __init__(self, num_classes: int, in_channels: int | Sequence[int],
                 num_masks: int = 4, num_rotations: int = 1, beta: float = 1.,
                 inference: str = 'single', student: bool | None = None,
                 ag_mode: str = 'prob_mean', kl_dir: str = 'teacher_student',
                 head: str = 'linear', scale: float = 30.,
                 loss: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        num_views = num_rotations * (num_masks + 1)
        if min(num_classes, num_views, num_rotations) < 1 or beta < 0:
            raise ValueError(
                'num_classes and num_rotations must be positive, num_masks and '
                f'beta not negative, but got {num_classes}, {num_rotations}, '
                f'{num_masks} and {beta}')
        student = inference == 'distilled' if student is None else student
        for name, value, allowed in (
                ('inference', inference, MODES if student else MODES[:2]),
                ('ag_mode', ag_mode, F.AG_MODES), ('head', head, HEADS),
                ('kl_dir', kl_dir, F.KL_DIRS)):
            if value not in allowed:
                raise ValueError(
                    f'{name} must be one of {allowed}, but got {value!r}')
        loss = dict(type='CrossEntropyLoss') if loss is None else loss
        super().__init__(
            loss=build_joint_loss(loss, num_views), init_cfg=init_cfg)
        channels = ((in_channels, ) if isinstance(in_channels, int)
                    else tuple(in_channels))
        self.num_classes, self.num_views = num_classes, num_views
        self.in_channels, self.beta = channels, beta
        self.inference, self.ag_mode, self.kl_dir = inference, ag_mode, kl_dir
        self.kind, self.scale = head, scale
        *earlier, last = channels
        self.fc = self._layer(last, num_classes * num_views)
        self.earlier = nn.ModuleList(
            self._layer(c, num_classes * num_views) for c in earlier)
        self.student = self._layer(last, num_classes) if student else None
        self.student_loss = (
            build_joint_loss(loss, 1) if student else None)
        # Widths alone do not tell 20 classes x 5 views from 100 x 1
        self.register_buffer('saved_views', torch.tensor(num_views))

    def _layer(self, inputs: int, outputs: int) -> nn.Module:
        if self.kind == 'cosine':
            return CosineLinear(inputs, outputs, self.scale)
        return nn.Linear(inputs, outputs)

    @property
    def modes(self) -> tuple[str, ...]:
        """The inference modes that this head has weights for."""
        return MODES[:2] if self.student is None else MODES

    def pre_logits(self, feats: tuple) -> Tensor:
        """Return the pooled feature of view 0, ``(N, D)``."""
        return pooled_feature(feats)

    def forward(self, feats: tuple) -> Tensor:
        """Return logits ``(N, num_classes)`` of the chosen inference."""
        feats = self._check(feats)
        with float32_region(feats[-1].device):
            if self.inference == 'single':
                return F.single_logits(self.fc, feats[-1])
            if self.inference == 'distilled':
                return self.student(feats[-1][:, 0])
            return F.aggregate(self._matched(feats), self.ag_mode)

    def loss(self, feats: tuple, data_samples: list[DataSample],
             **kwargs) -> dict[str, Tensor]:
        """Return the terms of the loss.

        Returns:
            dict[str, Tensor]: ``loss_cls`` (last stage), ``loss_earlier``
            (beta times the stages before), and with a student
            ``loss_student`` and ``loss_distill``.
        """
        feats = self._check(feats)
        target = class_targets(data_samples, feats[-1].device)
        joint = F.joint_targets(target, self.num_views)
        with float32_region(feats[-1].device):
            logits = [F.all_logits(layer, feat)
                      for layer, feat in zip(self._layers, feats, strict=True)]
            *earlier, last = [
                self.loss_module(z, joint, avg_factor=len(z), **kwargs)
                for z in logits]
            losses = dict(loss_cls=last)
            if earlier:
                losses['loss_earlier'] = self.beta * sum(earlier)
            if self.student is not None:
                losses.update(self._student_terms(
                    logits, feats[-1][:, 0], target, **kwargs))
        return losses

    def _student_terms(self, logits: list[Tensor], feat: Tensor,
                       target: Tensor, **kwargs) -> dict[str, Tensor]:
        student = self.student(feat)
        teacher = F.aggregate(
            [F.matching(z.detach(), self.num_views) for z in logits],
            self.ag_mode)
        return dict(
            loss_student=self.student_loss(
                student, target, avg_factor=len(student), **kwargs),
            loss_distill=F.distillation(teacher, student, self.kl_dir))

    def predict(self, feats: tuple,
                data_samples: list[DataSample] | None = None) -> list:
        """Return predictions of the chosen inference, and all modes' labels.

        Returns:
            list[DataSample]: With ``pred_score`` and ``pred_label``, and
            ``pred_label_<mode>`` for every mode.
        """
        feats = self._check(feats)
        with float32_region(feats[-1].device):
            matched = self._matched(feats)
            logits = dict(single=matched[-1][..., 0],
                          aggregated=F.aggregate(matched, self.ag_mode))
            if self.student is not None:
                logits['distilled'] = self.student(feats[-1][:, 0])
        samples = self._get_predictions(logits[self.inference], data_samples)
        for mode in self.modes:
            labels = logits[mode].argmax(1, keepdim=True)
            for sample, label in zip(samples, labels, strict=True):
                sample.set_field(label, f'pred_label_{mode}')
        return samples

    @property
    def _layers(self) -> list[nn.Module]:
        return [*self.earlier, self.fc]

    def _matched(self, feats: tuple) -> list[Tensor]:
        return [F.matching_logits(layer, feat)
                for layer, feat in zip(self._layers, feats, strict=True)]

    def _check(self, feats: tuple) -> tuple[Tensor, ...]:
        feats = tuple(feats)
        wanted = [(self.num_views, c) for c in self.in_channels]
        found = [tuple(feat.shape[1:]) for feat in feats]
        if found != wanted:
            raise ViewCountError(
                f'a joint head for {self.num_classes} classes needs features '
                f'of (views, channels) {wanted} for its stages, but got '
                f"{found}. Use neck=dict(type='gssl_mm.FeatureMaskNeck') with "
                'the masks and rotations of the head, and the out_indices of '
                'the backbone that in_channels names')
        return tuple(feat.to(self.fc.weight.dtype) for feat in feats)

    def _load_from_state_dict(self, state_dict: dict, prefix: str,
                              *args) -> None:
        check_saved_views(
            state_dict, prefix, self.num_classes, self.num_views)
        super()._load_from_state_dict(state_dict, prefix, *args)
