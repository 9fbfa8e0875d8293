"""Checkpoints of which one is complete whenever the process dies."""
import os.path as osp

from mmengine.dist import is_main_process, master_only
from mmengine.fileio import get_file_backend
from mmengine.fileio.backends import LocalBackend

from gssl_mm.atomic_io import ATOMIC_BACKEND, atomic_write, remove_leftovers
from gssl_mm.registry import HOOKS

from ..accumulated_grads import (
    keep_accumulated_grads,
    restore_accumulated_grads,
)
from ..loop_facts import FormattedConfig, by_iteration, validates
from .best_checkpoint import BestCheckpoints

_OUTDATED = 'outdated_ckpts'


@HOOKS.register_module()
class CheckpointHook(BestCheckpoints):
    """Save one checkpoint a period, after its validation, without a gap.

    As the host's hook, with the same arguments, and these promises:

    - A file is written under a temporary name, flushed, and renamed; then
      ``last_checkpoint`` the same way; only then are the files deleted that it
      outdates. Whenever the process is killed, ``last_checkpoint`` names a
      complete checkpoint.
    - Where validation is due, the checkpoint is saved after it, once: it holds
      the validation's scores and the best score. The host saves before the
      validation and again when the score is a new best.
    - A former best checkpoint is deleted after a complete checkpoint names the
      new one, so that the best of a resumed run always exists. What is left to
      delete is saved with the checkpoint and done on resume.
    - Where gradients are accumulated over iterations and a period ends between
      two optimizer steps, the gradients so far are saved too.
    - A write that fails (device full) raises
      :class:`~gssl_mm.atomic_io.FileWriteError`; what was there stays.

    Keep two checkpoints at least (``max_keep_ckpts=2``): a file that the device
    damages later is refused on resume and the one before it is used.

    Args:
        *args, **kwargs: As :class:`mmengine.hooks.CheckpointHook`.

    Example:
        >>> default_hooks = dict(checkpoint=dict(
        ...     type='gssl_mm.CheckpointHook', interval=1, max_keep_ckpts=2,
        ...     save_best='accuracy/top1'))
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._ready = False
        self._due = False
        self._loaded = {}

    def before_train(self, runner) -> None:
        """Choose atomic writing and finish what a killed run left undone."""
        folder = self.out_dir or runner.work_dir
        backend = get_file_backend(folder, backend_args=self.backend_args)
        self._local = isinstance(backend, LocalBackend)
        if self._local and self.file_client_args is None:
            self.backend_args = dict(backend=ATOMIC_BACKEND)
        # The host deletes what exceeds max_keep_ckpts here; the next save does.
        keep, self.max_keep_ckpts = self.max_keep_ckpts, -1
        super().before_train(runner)
        self.max_keep_ckpts = keep
        info = runner.message_hub
        self._kept = list(info.get_info('keep_ckpt_ids') or [])
        self._outdated = list(info.get_info(_OUTDATED) or [])
        self.last_ckpt = info.get_info('last_ckpt')
        self._text = runner.cfg.pretty_text
        self._due, self._ready = False, True
        if is_main_process() and self._local:
            self._log_leftovers(runner)
        self._delete_outdated(runner)
        self._warn_of_inner_saves(runner)
        restore_accumulated_grads(runner, self._loaded)
        self._loaded = {}

    def _log_leftovers(self, runner) -> None:
        for folder in {str(self.out_dir), runner.work_dir}:
            for path in remove_leftovers(folder):
                runner.logger.info(f'Removed the unfinished file {path}.')

    def _warn_of_inner_saves(self, runner) -> None:
        if not self.by_epoch and not by_iteration(runner):
            runner.logger.warning(
                'CheckpointHook(by_epoch=False) saves inside an epoch, where '
                'an epoch-based loop can not resume exactly. Save by epoch, '
                'or train with an iteration-based loop.')

    def after_train_epoch(self, runner) -> None:
        """Save after the epoch, or leave it to the validation that follows."""
        due = self.by_epoch and (
            self.every_n_epochs(runner, self.interval, self.save_begin)
            or (self.save_last and self.is_last_train_epoch(runner)))
        if due and validates(runner, runner.epoch + 1, runner.max_epochs):
            self._due = True
        elif due:
            self._save(runner, runner.epoch + 1, runner.iter)

    def after_train_iter(self,
                         runner,
                         batch_idx: int,
                         data_batch=None,
                         outputs=None) -> None:
        """Save after the iteration, or after the validation that follows."""
        due = not self.by_epoch and (
            self.every_n_train_iters(runner, self.interval, self.save_begin)
            or (self.save_last and self.is_last_train_iter(runner)))
        if due and by_iteration(runner) and validates(
                runner, runner.iter + 1, runner.max_iters):
            self._due = True
        elif due:
            self._save(runner, runner.epoch, runner.iter + 1)

    def after_val_epoch(self, runner, metrics=None) -> None:
        """Save the best weights, then the checkpoint that names them."""
        if not self._ready:
            return
        if metrics:
            self._save_best_checkpoint(runner, metrics)
        elif self.save_best:
            runner.logger.warning(
                'The validation returned no metric: no best checkpoint.')
        self._save_due(runner)

    def before_train_epoch(self, runner) -> None:
        """Save what a validation that did not come would have saved."""
        self._save_due(runner)

    def after_train(self, runner) -> None:
        """Finish saving and deleting, then publish as the host does."""
        self._save_due(runner)
        self._delete_outdated(runner)
        super().after_train(runner)

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Add the gradients that wait for the next optimizer step."""
        if 'optimizer' in checkpoint:
            keep_accumulated_grads(runner, checkpoint)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Hold those gradients until training starts."""
        if runner._resume:
            self._loaded = checkpoint

    def _save_due(self, runner) -> None:
        if self._due:
            self._due = False
            self._save(runner, runner.epoch, runner.iter)

    def _save(self, runner, epoch: int, iteration: int) -> None:
        step = epoch if self.by_epoch else iteration
        unit = 'epochs' if self.by_epoch else 'iterations'
        runner.logger.info(f'Saving checkpoint at {step} {unit}')
        self._save_checkpoint_with_step(
            runner, step, dict(epoch=epoch, iter=iteration))

    def _save_checkpoint_with_step(self, runner, step, meta) -> None:
        self._retire_old(runner, step)
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self._path(name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.message_hub.update_info(_OUTDATED, list(self._outdated))
        self._write(
            runner,
            name,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            **self.args)
        self._announce(runner)
        self._delete_outdated(runner)

    def _write(self, runner, name: str, **options) -> None:
        cfg, runner.cfg = runner.cfg, FormattedConfig(runner.cfg, self._text)
        try:
            runner.save_checkpoint(
                self.out_dir,
                name,
                self.file_client_args,
                backend_args=self.backend_args,
                **options)
        finally:
            runner.cfg = cfg

    def _retire_old(self, runner, step: int) -> None:
        if self.max_keep_ckpts <= 0:
            return
        self._kept = [kept for kept in self._kept if kept != step] + [step]
        while len(self._kept) > self.max_keep_ckpts:
            self._outdated.append(self.filename_tmpl.format(self._kept.pop(0)))
        runner.message_hub.update_info('keep_ckpt_ids', list(self._kept))

    @master_only
    def _announce(self, runner) -> None:
        atomic_write(
            osp.join(runner.work_dir, 'last_checkpoint'),
            str(self.last_ckpt).encode())

    def _delete_outdated(self, runner) -> None:
        outdated, self._outdated = self._outdated, []
        runner.message_hub.update_info(_OUTDATED, [])
        in_use = [self.last_ckpt, *self._best_paths()]
        names = {osp.basename(str(path)) for path in in_use}
        names.update(self.filename_tmpl.format(kept) for kept in self._kept)
        for name in outdated:
            if name not in names and is_main_process():
                self._delete(name)

    def _delete(self, name: str) -> None:
        # By name, in this run's folder: a copy of a work dir must not reach
        # into the folder that it was copied from.
        path = self._path(name)
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)

    def _path(self, name: str) -> str:
        return self.file_backend.join_path(self.out_dir, name)
