"""What a joint head is built from and loaded from."""
import copy

from torch import nn

from gssl_mm.registry import MODELS

from ..losses import ClassWeightedLoss
from .joint_errors import JointWidthError


def build_joint_loss(cfg: dict, num_views: int) -> nn.Module:
    """Build the loss of joint labels from the config of that of plain ones.

    Losses with class counts (LDAM) repeat counts and weights for the views;
    so are the host's ``class_weight`` and ``num_classes``.

    Args:
        cfg (dict): Config of a loss of K classes, without ``label_repeat``.
        num_views (int): V; 1 for plain labels.

    Raises:
        JointWidthError: If the config sets ``label_repeat``.
    """
    if 'label_repeat' in cfg:
        raise JointWidthError(
            f'the loss sets label_repeat={cfg["label_repeat"]}, but the joint '
            'head sets it to the views of an image, and to 1 for its student. '
            'Leave it out')
    cfg = copy.deepcopy(cfg)
    if cfg.get('class_weight') is not None:
        cfg['class_weight'] = [
            weight for weight in cfg['class_weight'] for _ in range(num_views)]
    if cfg.get('num_classes') is not None:
        cfg['num_classes'] *= num_views
    loss = MODELS.build(copy.deepcopy(cfg))
    if not isinstance(loss, ClassWeightedLoss):
        return loss
    return MODELS.build(dict(cfg, label_repeat=num_views))


def check_saved_views(state_dict: dict, prefix: str, num_classes: int,
                      num_views: int) -> None:
    """Refuse a checkpoint of another number of views.

    Args:
        state_dict (dict): What is about to be loaded.
        prefix (str): Of the head's keys in it.
        num_classes (int): Classes of the head.
        num_views (int): Views of the head.

    Raises:
        JointWidthError: If the checkpoint says so, or says nothing and its
            classifier is not classes x views wide.
    """
    saved = state_dict.get(f'{prefix}saved_views')
    weight = state_dict.get(f'{prefix}fc.weight')
    width = num_classes * num_views
    if saved is not None and int(saved) != num_views:
        raise JointWidthError(
            f'the checkpoint was trained with {int(saved)} views an image, but '
            f'this head has {num_views}. Give the head and the neck the '
            'num_masks and num_rotations of the training')
    if saved is None and weight is not None and len(weight) != width:
        raise JointWidthError(
            f'the checkpoint has a classifier of {len(weight)} outputs, but '
            f'{num_classes} classes x {num_views} views are {width}. Use the '
            'config that it was trained with')
