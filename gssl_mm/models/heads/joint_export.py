"""Plain classifiers out of joint ones, of exactly the plain size."""
from mmpretrain.models.heads import ClsHead
from torch import Tensor

from gssl_mm.registry import MODELS

from .joint_label_head import JointLabelHead

# Of what inference there is a plain classifier
EXPORTS = ('single', 'distilled')


def _rows(state_dict: dict, prefix: str, inference: str) -> dict[str, Tensor]:
    """Weight and bias of a plain classifier, by name."""
    if inference not in EXPORTS:
        raise ValueError(
            f'a plain classifier exists for inference in {EXPORTS}, but got '
            f'{inference!r}: aggregation needs the masked features')
    views = int(state_dict[f'{prefix}saved_views'])
    layer, step = (('fc', views) if inference == 'single' else ('student', 1))
    if f'{prefix}{layer}.weight' not in state_dict:
        raise ValueError(
            'there is no student to export: the model was not trained with '
            "inference='distilled'. Export 'single'")
    return {
        name: state_dict[f'{prefix}{layer}.{name}'][::step].clone()
        for name in ('weight', 'bias')
        if f'{prefix}{layer}.{name}' in state_dict}


def to_plain_head(head: JointLabelHead,
                  inference: str = 'single') -> ClsHead:
    """Return the plain head with the same logits on the plain feature.

    Args:
        head (JointLabelHead): Of V views.
        inference (str): ``'single'``, the rows ``V * c`` of the last stage's
            classifier, or ``'distilled'``, the student.

    Returns:
        ClsHead: A ``LinearClsHead`` or, for cosines, a ``CosineClsHead``.

    Raises:
        ValueError: If ``inference`` has no plain classifier, or there is no
            student.
    """
    cfg = dict(num_classes=head.num_classes, in_channels=head.in_channels[-1])
    if head.kind == 'cosine':
        cfg.update(type='gssl_mm.CosineClsHead', scale=head.scale)
    else:
        cfg.update(type='LinearClsHead')
    plain = MODELS.build(cfg)
    rows = _rows(head.state_dict(), '', inference)
    plain.fc.load_state_dict(rows)
    return plain.to(rows['weight'].device).train(head.training)


def to_plain_state_dict(state_dict: dict,
                        inference: str = 'single') -> dict[str, Tensor]:
    """Turn the weights of a classifier with a joint head into a plain one's.

    The plain classifier has the inner backbone (``RotatedBackbone`` and
    ``StageMaskBackbone`` are taken off), ``GlobalAveragePooling`` and a
    ``LinearClsHead`` or ``CosineClsHead``. Pretext heads and the gate are
    dropped where the joint head is the primary one.

    Args:
        state_dict (dict): Of an ``ImageClassifier``; not modified.
        inference (str): As for :func:`to_plain_head`.

    Raises:
        ValueError: If there is no joint head, or as :func:`to_plain_head`.
    """
    marks = [key for key in state_dict if key.endswith('saved_views')]
    if len(marks) != 1:
        raise ValueError(
            f'expected the weights of one joint head, but found {len(marks)}')
    rows = _rows(state_dict, marks[0].removesuffix('saved_views'), inference)
    plain = {}
    for key, value in state_dict.items():
        if not key.startswith('head.'):
            while key.startswith('backbone.backbone.'):
                key = key.removeprefix('backbone.')
            plain[key] = value
    return {**plain, **{f'head.fc.{name}': row for name, row in rows.items()}}
