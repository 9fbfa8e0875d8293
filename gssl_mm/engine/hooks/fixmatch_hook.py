"""The unlabelled half of semi-supervised training."""
from collections.abc import Iterator, Sized

import torch
from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_rank
from torch.utils.data import DataLoader

from gssl_mm.datasets.errors import EmptyUnlabeledError
from gssl_mm.datasets.samplers import StreamSampler
from gssl_mm.datasets.semi_supervised import SemiSupervisedSplit
from gssl_mm.datasets.unlabeled_batches import UnlabeledBatches, keep_batch
from gssl_mm.registry import DATASETS, HOOKS
from gssl_mm.seeding import stable_seed

from .step_seed_hook import seed_global_generators, shared_seed
from .teacher_hook import TeacherHook


@HOOKS.register_module()
class FixMatchHook(TeacherHook):
    """Add unlabelled images to every batch, and keep the teacher.

    Works on the host's own training loops. Before each iteration the batch is
    given ``unlabeled``: ``inputs``, uint8 ``(M, C, H, W)`` with M =
    ``unlabeled_ratio`` times the labelled batch, and ``gt_label`` to measure
    pseudo-labels with. The data preprocessor makes its views of it.

    The unlabelled stream deals permutations of the dataset without an end. Its
    place follows from the iteration and its order from the seed, so that a
    resumed run continues it exactly, and several processes share what one
    process would see.

    Args:
        unlabeled_ratio (int): mu, unlabelled images for one labelled image, at
            least 1. Defaults to 7.
        dataset (dict, optional): Config of the unlabelled dataset. Defaults to
            None: the other part of the training set's
            :class:`SemiSupervisedSplit`.
        num_workers (int): Processes that read unlabelled images; 0 where they
            lie in one array. Defaults to 0.
        decay (float): Of the teacher, see :class:`TeacherHook`. Defaults to
            0.999.

    Raises:
        EmptyUnlabeledError: ``unlabeled_ratio`` is less than 1, or there is no
            unlabelled image.
        ValueError: ``dataset`` is None and the training set is no split, the
            model does not learn from unlabelled images, or labelled batches
            have no fixed size.

    Example:
        >>> custom_hooks = [
        ...     dict(type='gssl_mm.FixMatchHook', unlabeled_ratio=7)]
    """

    def __init__(self, unlabeled_ratio: int = 7, dataset: dict | None = None,
                 num_workers: int = 0, decay: float = 0.999) -> None:
        super().__init__(decay)
        if int(unlabeled_ratio) != unlabeled_ratio or unlabeled_ratio < 1:
            raise EmptyUnlabeledError(
                f'unlabeled_ratio={unlabeled_ratio} gives no unlabelled batch. '
                'Allowed are whole numbers of at least 1; to train on '
                "labelled images alone use dict(type='gssl_mm.TeacherHook') "
                'and an ImageClassifier')
        self.unlabeled_ratio = int(unlabeled_ratio)
        self.dataset = dataset
        self.num_workers = num_workers
        self.loader: DataLoader | None = None
        self._batches: Iterator | None = None

    def before_train(self, runner) -> None:
        """Open the stream at the place where training stands."""
        super().before_train(runner)
        if not hasattr(self.src_model, 'semi_supervised_loss'):
            raise ValueError(
                f'{type(self.src_model).__name__} does not learn from the '
                'unlabelled images that FixMatchHook adds. Set '
                "model.type='gssl_mm.FixMatchClassifier' or another of these, "
                "or average weights alone with dict(type='gssl_mm.TeacherHook')"
            )
        self._seed = shared_seed(runner)
        _check_batches(runner.train_dataloader)
        self.loader = self.open_stream(
            self._unlabeled(runner), runner.train_dataloader.batch_size,
            self._seed, runner.iter)
        self._batches = None

    def open_stream(self, dataset: Sized, labeled_batch: int, seed: int,
                    step: int = 0) -> DataLoader:
        """Build the loader of unlabelled batches.

        Args:
            dataset (Sized): The unlabelled images.
            labeled_batch (int): Labelled images of a batch on this process.
            seed (int): The same on all processes.
            step (int): Batches that were read before. Defaults to 0.
        """
        size = self.unlabeled_ratio * labeled_batch
        batches = UnlabeledBatches(dataset)
        sampler = StreamSampler(batches, seed, 'unlabeled')
        sampler.skip(step * size)
        return DataLoader(
            batches, size, sampler=sampler, num_workers=self.num_workers,
            collate_fn=keep_batch, pin_memory=torch.cuda.is_available(),
            generator=torch.Generator().manual_seed(
                stable_seed(seed, get_rank(), 'unlabeled-loader')))

    def _unlabeled(self, runner) -> Sized:
        """The dataset of the stream."""
        if self.dataset is not None:
            return DATASETS.build(self.dataset)
        labeled = runner.train_dataloader.dataset
        if not isinstance(labeled, SemiSupervisedSplit):
            raise ValueError(
                'FixMatchHook without a dataset takes the other part of a '
                'gssl_mm.SemiSupervisedSplit, but train_dataloader.dataset is '
                f'a {type(labeled).__name__}. Wrap it in a split, or give '
                'FixMatchHook(dataset=dict(...))')
        return labeled.other_part()

    def before_train_iter(self, runner, batch_idx: int,
                          data_batch: dict | None = None) -> None:
        """Add the next unlabelled images to the batch."""
        # A pipeline that draws in this process draws what the iteration says
        seed_global_generators(
            self._seed, runner.iter, get_rank(), 'fetch-unlabeled')
        if self._batches is None:
            self._batches = iter(self.loader)
        data_batch['unlabeled'] = next(self._batches)

    def after_train(self, runner) -> None:
        """Let go of the loader and its workers."""
        self.loader = self._batches = None


def _check_batches(loader: DataLoader) -> None:
    """Refuse labelled batches that differ in size."""
    endless = isinstance(loader.sampler, StreamSampler | InfiniteSampler)
    if loader.batch_size is None or not (
            endless or loader.drop_last
            or len(loader.sampler) % loader.batch_size == 0):
        raise ValueError(
            'Unlabelled batches are unlabeled_ratio times the labelled ones, '
            'which must have one size, but train_dataloader gives batches of '
            'several. Set train_dataloader.sampler=dict(type='
            "'gssl_mm.StreamSampler') or train_dataloader.drop_last=True")
