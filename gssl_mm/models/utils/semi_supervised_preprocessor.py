"""Data preprocessor with views of unlabelled images."""
from typing import NamedTuple

import torch
from mmpretrain.models.utils.data_preprocessor import ClsDataPreprocessor
from torch import Tensor

from gssl_mm.datasets.errors import EmptyUnlabeledError
from gssl_mm.registry import MODELS, TASK_UTILS

from .data_preprocessor import PretextDataPreprocessor
from .step_random import step_generator

SSL_VIEWS = ('inplace_all', 'separate')


class SemiSupervisedBatch(NamedTuple):
    """What a semi-supervised classifier trains on.

    Attributes:
        labeled (Tensor): float32 ``(B, C, H, W)``.
        views (dict): Name to view of the unlabelled images, float32
            ``(M, C, H, W)``, in the order of the config.
        copies (Tensor, optional): float32 ``(P, C, H, W)``, images that only
            the pretext tasks see.
        pretext_labels (Tensor, optional): int64, with ``copies`` ``(P, T)``,
            else a row for each image of ``labeled`` and of the views.
        truth (Tensor): int64 ``(M,)``, labels of the unlabelled images, -1
            where there is none. To measure with, not to train on.
    """

    labeled: Tensor
    views: dict[str, Tensor]
    copies: Tensor | None
    pretext_labels: Tensor | None
    truth: Tensor


@MODELS.register_module()
class SemiSupervisedDataPreprocessor(PretextDataPreprocessor):
    """Preprocess labelled images and views of unlabelled ones, on the device.

    The labelled images go the way of :class:`PretextDataPreprocessor`. Every
    view of the unlabelled images that the hook adds to a batch has draws and
    augmentations of its own, and the same normalisation.

    Paper: Mixture of Self-Supervised Learning, equation 5: the pretext loss is
    that of all data.

    Note:
        D16: the only code there is transforms the labelled images and all
        views in place, each with its own draws, so that classes and
        pseudo-labels are learnt from transformed images
        (``ssl_views='inplace_all'``). ``'separate'`` leaves them as they are
        and adds transformed copies of the labelled images and of the first
        view for the pretext tasks alone.

    Args:
        views (dict, optional): Name of a view to the configs of its
            augmentations, callables ``(images, generator) -> images`` on raw
            pixels. Defaults to None, no views.
        ssl_views (str): ``'inplace_all'`` or ``'separate'``. Defaults to
            ``'inplace_all'``.
        **kwargs: As :class:`PretextDataPreprocessor`; ``augment`` is for the
            labelled images.

    Raises:
        ValueError: ``ssl_views`` is unknown, or a view has other channels or
            another size than the labelled images.
        EmptyUnlabeledError: A batch has no unlabelled image, or none at all
            was added where views are asked for.

    Example:
        >>> from gssl_mm.registry import MODELS
        >>> crop = dict(type='gssl_mm.RandomCropFlip', padding_mode='reflect')
        >>> preprocessor = MODELS.build(dict(
        ...     type='gssl_mm.SemiSupervisedDataPreprocessor',
        ...     mean=[127.5] * 3, std=[127.5] * 3, augment=[crop],
        ...     views=dict(weak=[crop], strong=[
        ...         crop, dict(type='gssl_mm.RandomCutout', size=16)])))
    """

    def __init__(self, *args, views: dict | None = None,
                 ssl_views: str = 'inplace_all', **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if ssl_views not in SSL_VIEWS:
            raise ValueError(
                f'ssl_views must be one of {SSL_VIEWS}, got {ssl_views!r}')
        self.ssl_views = ssl_views
        self.views = {
            name: [TASK_UTILS.build(step) for step in steps or ()]
            for name, steps in (views or {}).items()}

    def forward(self, data: dict, training: bool = False) -> dict:
        """Preprocess a batch.

        Args:
            data (dict): ``inputs`` and ``data_samples`` of labelled images,
                and, in training, ``unlabeled`` with ``inputs``, uint8
                ``(M, C, H, W)``, and ``gt_label``, int64 ``(M,)``.
            training (bool): Whether to augment and transform.

        Returns:
            dict: ``data_samples``, and ``inputs``: in training with views a
            :class:`SemiSupervisedBatch`, else images.
        """
        if not training or not self.views:
            data = {k: v for k, v in data.items() if k != 'unlabeled'}
            return super().forward(data, training)
        unlabeled = self._take_unlabeled(data)
        labeled = ClsDataPreprocessor.forward(self, dict(
            inputs=self._augment(data['inputs']),
            data_samples=data['data_samples']), True)
        views = {name: self._view(name, unlabeled['inputs'])
                 for name in self.views}
        _check_sizes(labeled['inputs'], views)
        batch = self._add_pretext(SemiSupervisedBatch(
            labeled['inputs'], views, None, None, unlabeled['gt_label']))
        return dict(inputs=self._arrange(batch),
                    data_samples=labeled['data_samples'])

    def _arrange(self, batch: SemiSupervisedBatch) -> SemiSupervisedBatch:
        """Bring all images into the memory format of the config."""

        def arrange(images: Tensor | None) -> Tensor | None:
            return None if images is None else images.contiguous(
                memory_format=self.memory_format)

        return batch._replace(
            labeled=arrange(batch.labeled), copies=arrange(batch.copies),
            views={name: arrange(v) for name, v in batch.views.items()})

    def _take_unlabeled(self, data: dict) -> dict:
        unlabeled = data.get('unlabeled')
        if unlabeled is None or not len(unlabeled['inputs']):
            found = 'no' if unlabeled is None else 'an empty'
            raise EmptyUnlabeledError(
                f'the model trains on the views {list(self.views)} of '
                f'unlabelled images, but a batch came with {found} '
                "'unlabeled' part. Add custom_hooks=[dict(type="
                "'gssl_mm.FixMatchHook', unlabeled_ratio=7)]")
        return self.cast_data(unlabeled)

    def _view(self, name: str, images: Tensor) -> Tensor:
        """Augment and normalise one view."""
        images = self._in_rgb(
            self.views[name], images, step_generator(f'view-{name}'))
        if self.to_rgb and images.size(1) == 3:
            images = images.flip(1)
        images = images.float()
        if self._enable_normalize:
            images = (images - self.mean) / self.std
        return images

    def _add_pretext(self, batch: SemiSupervisedBatch) -> SemiSupervisedBatch:
        """Transform what the pretext tasks learn from."""
        if self.pretext is None:
            return batch
        if self.ssl_views == 'separate':
            first = next(iter(self.views))
            copies, labels = zip(
                self._turn('labeled', batch.labeled),
                self._turn(first, batch.views[first]), strict=True)
            return batch._replace(copies=torch.cat(copies),
                                  pretext_labels=torch.cat(labels))
        labeled, labels = self._turn('labeled', batch.labeled)
        views, all_labels = {}, [labels]
        for name, images in batch.views.items():
            views[name], labels = self._turn(name, images)
            all_labels.append(labels)
        return batch._replace(labeled=labeled, views=views,
                              pretext_labels=torch.cat(all_labels))

    def _turn(self, name: str, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.pretext(images, step_generator(f'pretext-{name}'))


def _check_sizes(labeled: Tensor, views: dict[str, Tensor]) -> None:
    """Refuse views that can't go through the network with labelled images."""
    for name, view in views.items():
        if view.shape[1:] != labeled.shape[1:]:
            raise ValueError(
                f'the view {name!r} of unlabelled images has the shape '
                f'{tuple(view.shape)}, but the labelled ones have '
                f'{tuple(labeled.shape)}: channels and size must agree. '
                'Resize in the pipelines of both datasets')


__all__ = ['SSL_VIEWS', 'SemiSupervisedBatch', 'SemiSupervisedDataPreprocessor']
