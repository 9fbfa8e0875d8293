"""Pretext tasks on one sample, in a pipeline."""
import numpy as np
import torch

from gssl_mm.models.pretext import PretextTransform as BatchTransform
from gssl_mm.registry import TRANSFORMS

from .sample_transform import SampleTransform


@TRANSFORMS.register_module()
class PretextTransform(SampleTransform):
    """Transform a random region of one image, in a worker.

    The per-sample form of :class:`gssl_mm.models.PretextTransform`: the same
    kernel on a batch of one. Transforming the batch in the data preprocessor is
    faster; this form is for pipelines whose later steps need the transformed
    image.

    The draws of a sample follow from (seed, epoch, sample), whatever worker it
    lands in. Keep the labels with
    ``PackInputs(algorithm_keys=['pretext_labels', 'pretext_tasks'])``.

    Required keys: ``img`` (uint8 or float, H, W, C), ``sample_idx``.

    Modified keys: ``img``.

    Added keys: ``pretext_labels`` (int64 ``(T,)``), ``pretext_tasks``.

    Args:
        tasks (list): Pretext tasks, as in the batch form.
        channel_order (str): Of the images, ``'rgb'`` or ``'bgr'`` (files read
            by the host). Defaults to ``'rgb'``.
        seed (int): Seed of the draws. Defaults to 0.
        **kwargs: Further arguments of the batch form: ``region``...

    Raises:
        ValueError: If ``channel_order`` is unknown.
        KeyError: If a sample has no ``sample_idx``.
    """

    def __init__(self, tasks: list, channel_order: str = 'rgb', seed: int = 0,
                 **kwargs) -> None:
        super().__init__(channel_order, seed)
        self.batch_transform = BatchTransform(tasks, **kwargs)

    def transform(self, results: dict) -> dict:
        """Transform ``results['img']`` and add its labels."""
        generator = self.generator(results, 'pretext')
        batch = self.batch_transform
        image = torch.from_numpy(np.ascontiguousarray(results['img']))
        image = image.permute(2, 0, 1)[None]
        if self.flip_channels:
            image = image.flip(1)
        draw = batch.sample(1, image.shape[-2:], generator)
        image = batch.apply(image, draw)
        if self.flip_channels:
            image = image.flip(1)
        results['img'] = image[0].permute(1, 2, 0).contiguous().numpy()
        results['pretext_labels'] = batch.labels(draw)[0]
        results['pretext_tasks'] = tuple(
            (task.name, task.num_classes) for task in batch.tasks)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(tasks={self.batch_transform.task_names})'
