"""Data preprocessor with augmentation and pretext tasks on the batch."""
import torch
from mmpretrain.models.utils.data_preprocessor import ClsDataPreprocessor
from torch import Tensor

from gssl_mm.registry import MODELS, TASK_UTILS

from ..pretext import build_pretext_transform
from .step_random import step_generator

MEMORY_FORMATS = {
    'contiguous': torch.contiguous_format,
    'channels_last': torch.channels_last,
}


@MODELS.register_module()
class PretextDataPreprocessor(ClsDataPreprocessor):
    """Preprocess a batch and transform it by pretext tasks, on the device.

    In training the order is: ``augment`` (crop and flip on the raw pixels),
    normalisation, ``batch_augments`` of the host (Mixup and the like), pretext
    transform. In testing only the normalisation is left.

    The labels of the pretext tasks travel in ``DataSample.pretext_labels``, an
    int64 row with one column a task.

    Note:
        Channels are permuted after the normalisation, as in all released
        scripts but the adversarial one. Images must be in RGB order by then:
        set ``to_rgb=True`` for images that were decoded as BGR.

    Args:
        augment (list, optional): Configs of callables ``(images, generator) ->
            images`` on raw pixels ``(N, C, H, W)``, RGB also where the data
            is BGR (``to_rgb=True``), run in order in training.
            Defaults to None.
        pretext (dict, optional): Arguments of :class:`PretextTransform`, or
            of the subclass that ``type`` names. Defaults to None, no pretext
            task.
        pretext_as_label (bool): Self-supervised pre-training: the label of the
            only pretext task takes the place of ``gt_label``, in testing too
            (with the same draws for every batch). Defaults to False.
        memory_format (str): Memory format of the model's input,
            ``'contiguous'`` or ``'channels_last'``. Defaults to
            ``'contiguous'``.
        **kwargs: Arguments of the host's ``ClsDataPreprocessor``: ``mean``,
            ``std`` (0 to 255 scale), ``to_rgb``, ``batch_augments``...

    Raises:
        ValueError: If ``memory_format`` is unknown, ``pretext_as_label`` is
            set with any but one task, with ``to_onehot`` or with
            ``batch_augments``, or images are to be transformed that come
            without data samples to carry their labels.

    Example:
        >>> from gssl_mm.registry import MODELS
        >>> preprocessor = MODELS.build(dict(
        ...     type='gssl_mm.PretextDataPreprocessor',
        ...     mean=[125.3, 123.0, 113.9], std=[51.6, 50.8, 51.3],
        ...     augment=[dict(type='gssl_mm.RandomCropFlip')],
        ...     pretext=dict(tasks=[dict(type='gssl_mm.LocalRotation')])))
    """

    def __init__(self, *args, augment: list | None = None,
                 pretext: dict | None = None,
                 pretext_as_label: bool = False,
                 memory_format: str = 'contiguous', **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if memory_format not in MEMORY_FORMATS:
            raise ValueError(f'memory_format must be one of '
                             f'{list(MEMORY_FORMATS)}, got {memory_format!r}')
        self.memory_format = MEMORY_FORMATS[memory_format]
        self.augment = [TASK_UTILS.build(cfg) for cfg in augment or ()]
        self.pretext = build_pretext_transform(pretext) if pretext else None
        self.pretext_as_label = pretext_as_label
        if pretext_as_label and len(self.pretext.tasks if pretext else ()) != 1:
            raise ValueError('pretext_as_label needs exactly one pretext task')
        if pretext_as_label and self.to_onehot:
            raise ValueError(
                'with pretext_as_label the classes of the images are not '
                'learnt: leave to_onehot and batch_augments out')
        # Copies from pinned memory need not be waited for
        self._non_blocking = True

    def forward(self, data: dict, training: bool = False) -> dict:
        """Preprocess a batch.

        Args:
            data (dict): ``inputs``, uint8 ``(N, C, H, W)`` or a list of
                ``(C, H, W)``, and ``data_samples``.
            training (bool): Whether to augment and transform.

        Returns:
            dict: ``inputs``, float32 ``(N, C, H, W)``, and ``data_samples``.
        """
        if training and self.augment:
            data = dict(data, inputs=self._augment(data['inputs']))
        data = super().forward(data, training)
        if self.pretext is not None and (training or self.pretext_as_label):
            generator = (step_generator('pretext') if training
                         else torch.Generator().manual_seed(0))
            data['inputs'] = self._transform(generator=generator, **data)
        data['inputs'] = data['inputs'].contiguous(
            memory_format=self.memory_format)
        return data

    def _augment(self, images: Tensor | list) -> Tensor:
        if not isinstance(images, Tensor):
            images = torch.stack(list(images))
        return self._in_rgb(
            self.augment, self.cast_data(images), step_generator('augment'))

    def _in_rgb(self, transforms: list, images: Tensor,
                generator: torch.Generator) -> Tensor:
        """Run transforms, which expect RGB, on images in the data's order."""
        swap = self.to_rgb and images.size(1) == 3
        images = images.flip(1) if swap else images
        for transform in transforms:
            images = transform(images, generator)
        return images.flip(1) if swap else images

    def _transform(self, inputs: Tensor, data_samples: list | None,
                   generator: torch.Generator) -> Tensor:
        if data_samples is None:
            raise ValueError(
                'pretext labels travel in data samples, but the batch has '
                'none. Add PackInputs to the training pipeline')
        images, labels = self.pretext(inputs, generator)
        for sample, row in zip(data_samples, labels.unbind(0), strict=True):
            if self.pretext_as_label:
                sample.set_gt_label(row)
            else:
                sample.set_field(row, 'pretext_labels')
        # Lets the head refuse a batch that was labelled for other tasks
        spec = tuple((t.name, t.num_classes) for t in self.pretext.tasks)
        data_samples[0].set_field(spec, 'pretext_tasks', field_type='metainfo')
        return images
