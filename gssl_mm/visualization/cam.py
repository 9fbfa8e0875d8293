"""Where a classifier looks: Grad-CAM and class activation maps."""
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .errors import TargetLayerError, need

METHODS = ('gradcam', 'cam')


def _tap(backbone: nn.Module, probe: nn.Module) -> Any:
    """Lead the last map that a backbone returns through ``probe``.

    It works for every backbone, whatever its last layer is called and whether
    or not an activation follows in place.
    """

    def lead(module: nn.Module, inputs: tuple, output: Any) -> tuple:
        maps = output if isinstance(output, tuple) else (output, )
        if maps[-1].dim() != 4:
            raise TargetLayerError(
                f'{type(module).__name__} returns {maps[-1].dim()}-D features '
                'last; a map (N, C, h, w) is needed. Name a layer that has '
                'one with target_layer.')
        return (*maps[:-1], probe(maps[-1]))

    return backbone.register_forward_hook(lead)


def find_layer(model: nn.Module, name: str) -> nn.Module:
    """Find a layer by its dotted name.

    Raises:
        TargetLayerError: There is none; the parts of the last module that
            exists are listed.
    """
    module, found = model, []
    for part in name.split('.'):
        parts = dict(module.named_children())
        if part not in parts:
            where = '.'.join(found) or 'the model'
            raise TargetLayerError(
                f'there is no layer {name!r}: {where} has '
                f'{list(parts) or "no parts"}.')
        module = parts[part]
        found.append(part)
    return module


def num_stacked(backbone: nn.Module) -> int:
    """Rows an image has in the maps of a backbone, view 0 first."""
    return getattr(backbone, 'num_views', 1)


def normalise(maps: Tensor) -> Tensor:
    """Scale each map of ``(N, h, w)`` to [0, 1]; constant maps become 0."""
    low, high = maps.amin((1, 2), True), maps.amax((1, 2), True)
    return (maps - low) / (high - low).clamp_min(1e-7)


def enlarge(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Enlarge maps ``(N, h, w)`` by bicubic interpolation, in [0, 1]."""
    return F.interpolate(maps[:, None].float(), tuple(size), mode='bicubic',
                         align_corners=False)[:, 0].clamp(0, 1)


def _library_cam(wrapped: nn.Module, layer: nn.Module, views: int) -> Any:
    need('pytorch_grad_cam', 'grad-cam')
    from pytorch_grad_cam import GradCAM

    class MapSizeGradCAM(GradCAM):
        """The library's, in the size of the map."""

        def get_target_width_height(self, input_tensor: Tensor) -> None:
            return None

    return MapSizeGradCAM(wrapped, [layer],
                          reshape_transform=lambda maps: maps[::views])


class _Logits(nn.Module):
    """A classifier as a function from images to logits, with a probe."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model, self.probe = model, nn.Identity()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.model(inputs, mode='tensor')


def grad_cam(model: nn.Module, inputs: Tensor,
             classes: Tensor | Sequence[int] | None = None,
             target_layer: str | None = None) -> Tensor:
    r"""Compute Grad-CAM with the maintained library ``grad-cam``.

    Paper: Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
    Localization, equations 1 and 2: with the score :math:`z_c` and the maps
    :math:`A_k`,

    .. math::
        \mathrm{ReLU}\Big(\sum_k A_k \frac{1}{hw} \sum_{ij}
        \frac{\partial z_c}{\partial A_{k,ij}}\Big)

    Args:
        model (ImageClassifier): Any classifier of the host or of this package,
            training-only heads included. Put in evaluation mode for the call.
        inputs (Tensor): What the data preprocessor returns.
        classes (Tensor | Sequence[int], optional): Whose score, a class an
            image. Defaults to None, the predicted class.
        target_layer (str, optional): Dotted name, ``'backbone.layer2'`` for
            instance. Defaults to None, the last map of the backbone, which
            the neck reads. Of backbones with several views, view 0.

    Shape:
        - inputs: float32 ``(N, 3, H, W)``.
        - returns: float32 ``(N, h, w)`` on the CPU, each in [0, 1], of the
          size of the map.

    Returns:
        Tensor: The maps.

    Raises:
        TargetLayerError: There is no such layer, or it has no map.
        MissingExtraError: ``grad-cam`` is not installed.

    Example:
        >>> from gssl_mm.apis import get_model
        >>> model = get_model('gssl_mm::gssl/resnet32_cifar10.py')
        >>> grad_cam(model, torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 8, 8])
    """
    wrapped, training = _Logits(model), model.training
    layer = find_layer(model, target_layer) if target_layer else wrapped.probe
    handle = _tap(model.backbone, wrapped.probe)
    try:
        with torch.enable_grad(), _library_cam(
                wrapped, layer, num_stacked(model.backbone)) as cam:
            maps = cam(inputs.detach().clone().requires_grad_(),
                       _targets(classes))
    finally:
        handle.remove()
        model.train(training)
        model.zero_grad(set_to_none=True)
    return torch.from_numpy(maps).float()


def _targets(classes: Tensor | Sequence[int] | None) -> list | None:
    if classes is None:
        return None
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
    return [ClassifierOutputTarget(int(c)) for c in classes]


def class_weights(head: nn.Module) -> Tensor:
    """Weights of the classifier of the plain image, ``(K, C)``.

    Of a gated head those of its primary head, of a joint head the rows of view
    0 (``V c``), or the student's with distilled inference; of a cosine head
    the directions.

    Raises:
        TargetLayerError: The head is not linear.
    """
    from gssl_mm.models.heads import JointLabelHead, to_plain_head
    head = getattr(head, 'primary', head)
    if isinstance(head, JointLabelHead):
        distilled = head.inference == 'distilled'
        head = to_plain_head(head, 'distilled' if distilled else 'single')
    layer = getattr(head, 'fc', None)
    if not hasattr(layer, 'weight'):
        raise TargetLayerError(
            f'{type(head).__name__} is not a linear classifier of the pooled '
            'feature, which class activation maps need. Use Grad-CAM.')
    weight = layer.weight.detach()
    return weight if isinstance(layer, nn.Linear) else F.normalize(weight)


@torch.no_grad()
def class_activation_map(model: nn.Module, inputs: Tensor,
                         classes: Tensor | Sequence[int] | None = None
                         ) -> Tensor:
    r"""Compute class activation maps.

    Paper: Self-supervision of Feature Transformation for Further Improving
    Supervised Learning, figures 1, 5 and 6:
    :math:`\sum_k \theta_{c,k} f_k` of the unmasked last map f, with the
    weights of class c for the unmasked feature.

    Args:
        model (ImageClassifier): With a linear or cosine classifier of the
            pooled last map. Put in evaluation mode for the call.
        inputs (Tensor): What the data preprocessor returns.
        classes (Tensor | Sequence[int], optional): A class an image. Defaults
            to None, the predicted class.

    Shape:
        - inputs: float32 ``(N, 3, H, W)``.
        - returns: float32 ``(N, h, w)``, each in [0, 1].

    Returns:
        Tensor: The maps, negative evidence included before they are scaled.

    Raises:
        TargetLayerError: The head is not linear, or the map has other
            channels than it reads.
    """
    weights, training = class_weights(model.head), model.training
    kept: list[Tensor] = []

    class Keep(nn.Module):
        def forward(self, maps: Tensor) -> Tensor:
            kept.append(maps[::num_stacked(model.backbone)])
            return maps

    handle = _tap(model.backbone, Keep())
    try:
        logits = model.eval()(inputs, mode='tensor')
    finally:
        handle.remove()
        model.train(training)
    chosen = logits.argmax(1) if classes is None else torch.as_tensor(classes)
    if kept[0].size(1) != weights.size(1):
        raise TargetLayerError(
            f'the last map has {kept[0].size(1)} channels, the classifier '
            f'reads {weights.size(1)}: something lies between them. Use '
            'Grad-CAM.')
    maps = torch.einsum('nc,nchw->nhw', weights[chosen.to(weights.device)],
                        kept[0].float())
    return normalise(maps)


__all__ = [
    'METHODS', 'class_activation_map', 'class_weights', 'enlarge',
    'find_layer', 'grad_cam', 'normalise'
]
