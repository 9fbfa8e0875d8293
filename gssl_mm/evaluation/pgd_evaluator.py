"""Clean and robust accuracy in one test run."""
from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.runner import TestLoop
from mmengine.utils import ProgressBar

from gssl_mm.models.attacks import Attack, PixelModel
from gssl_mm.registry import LOOPS, TASK_UTILS

from .attack_records import (
    AttackRecord,
    digest,
    gather_records,
    load_record,
    make_record,
    model_digest,
    plain_settings,
)
from .attack_report import (
    class_accuracy,
    percent,
    summarise_attack,
    write_report,
)
from .pixel_batches import image_noise, pixel_batches, positions

DTYPES = dict(float32=torch.float32, bfloat16=torch.bfloat16)
MEMORY_FORMATS = dict(contiguous=torch.contiguous_format,
                      channels_last=torch.channels_last)
RESERVED = ('clean', 'worst_case', '', '..')


@LOOPS.register_module()
class PGDEvaluator(TestLoop):
    """Test loop that also attacks the model, by any number of attacks.

    The clean test runs first, with the metrics of ``test_evaluator``. Then each
    attack goes through the data, in pixels of [0, 1]: a model that normalises
    in its data preprocessor is attacked with that normalisation undone and
    redone. Reported, in percent:

    - ``clean/top1`` and ``<name>/top1``: right on the attacked images, all of
      which were attacked, those that are wrong without an attack included.
    - ``<name>/worst_class``: that of the class with the lowest one.
    - ``<name>/worst_case``: right without an attack, under this attack and
      under all before it; the last one is ``worst_case/top1``.

    The work dir gets ``<out_dir>/<name>.npz`` (position, label, predicted label
    and scores, size of the change: one row an image), ``robust_accuracy.csv``
    (a row a class) and ``summary.json``. An attack whose file is there, made
    for the same weights, data and settings, is not run again: a run that was
    killed goes on with the next attack.

    Random starts depend on (seed, position of the image), so that batch size,
    number of processes and skipping change no start, and attacks that differ
    in one switch start at the same points.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): Test data.
        evaluator (Evaluator | dict | list): Metrics of the clean test.
        attacks (dict): Name to config of an attack, run in this order.
        fp16 (bool): As in the host's loop, for the clean test. Defaults to
            False.
        skip_broken (bool): Attack only what stands after the clean test and
            the attacks before: ``<name>/worst_case`` is what it is without
            skipping, at less work; ``<name>/top1`` can't be known and is not
            reported. Defaults to False.
        max_samples (int | dict, optional): Attack the first images of the data
            alone, a number for all attacks or for each by name. Defaults to
            None.
        dtype (str): ``'bfloat16'`` computes the attacks' gradients under
            autocast. Predictions are always made in float32. Defaults to
            ``'float32'``.
        memory_format (str): ``'channels_last'``, which is faster, or
            ``'contiguous'``. Defaults to ``'channels_last'``.
        seed (int): Of the random starts. Defaults to 0.
        out_dir (str): Folder in the work dir. Defaults to ``'robustness'``.
        resume (bool): Whether to use the files of finished attacks. Defaults
            to True.

    Raises:
        ValueError: If there is no attack, a name is not allowed, or a switch
            has an unknown value.
        PixelSpaceError: If the model's preprocessor has no mean and std.
        LogitsShapeError: If the head does not return logits ``(N, K)``.

    Example:
        >>> test_cfg = dict(
        ...     type='gssl_mm.PGDEvaluator',
        ...     attacks=dict(
        ...         pgd20=dict(type='gssl_mm.PGD', num_steps=20),
        ...         pgd100=dict(type='gssl_mm.PGD', num_steps=100,
        ...                     step_size=0.3 / 255)))
    """

    def __init__(self, runner: Any, dataloader: Any, evaluator: Any,
                 attacks: dict, fp16: bool = False, skip_broken: bool = False,
                 max_samples: int | dict | None = None,
                 dtype: str = 'float32', memory_format: str = 'channels_last',
                 seed: int = 0, out_dir: str = 'robustness',
                 resume: bool = True) -> None:
        super().__init__(runner, dataloader, evaluator, fp16)
        for name, value, allowed in (
                ('dtype', dtype, DTYPES),
                ('memory_format', memory_format, MEMORY_FORMATS)):
            if value not in allowed:
                raise ValueError(f'{name} must be one of {list(allowed)}, '
                                 f'but got {value!r}')
        attacks = attacks or {}
        self.settings = {n: plain_settings(c) for n, c in attacks.items()}
        self.attacks = {
            n: c if isinstance(c, Attack) else TASK_UTILS.build(c)
            for n, c in attacks.items()}
        self.limits = (max_samples if isinstance(max_samples, dict) else
                       dict.fromkeys(self.attacks, max_samples))
        self._check_names()
        self.skip_broken = skip_broken
        self.dtype = dtype
        self.memory_format = MEMORY_FORMATS[memory_format]
        self.seed = seed
        self.folder = Path(runner.work_dir) / out_dir
        self.resume = resume

    def _check_names(self) -> None:
        if not self.attacks:
            raise ValueError('attacks is empty: name at least one, such as '
                             "dict(pgd20=dict(type='gssl_mm.PGD'))")
        for name in self.attacks:
            if name in RESERVED or Path(name).name != name:
                raise ValueError(
                    f'{name!r} can\'t name an attack: it names a file and a '
                    f'metric, without "/", and {RESERVED} are taken')
        for name, limit in self.limits.items():
            if limit is not None and limit < 1:
                raise ValueError(f'max_samples must be at least 1, or None for '
                                 f'all, but got {limit} for {name!r}')
        unknown = set(self.limits) - set(self.attacks)
        if unknown:
            raise ValueError(f'max_samples names {sorted(unknown)}, but the '
                             f'attacks are {list(self.attacks)}')

    def run(self) -> dict:
        """Test without an attack, then under each."""
        self.runner.call_hook('before_test')
        self.runner.call_hook('before_test_epoch')
        self.runner.model.eval()
        for idx, data_batch in enumerate(self.dataloader):
            self.run_iter(idx, data_batch)
        metrics = self.evaluator.evaluate(len(self.dataloader.dataset))
        metrics.update(self.run_attacks())
        self.runner.call_hook('after_test_epoch', metrics=metrics)
        self.runner.call_hook('after_test')
        return metrics

    @torch.no_grad()
    def run_attacks(self) -> dict:
        """Run all attacks and report, as the class says."""
        self.model = PixelModel(self.runner.model, DTYPES[self.dtype]).eval()
        if self.memory_format is torch.channels_last:
            self.model.channels_last()
        size = len(self.dataloader.dataset)
        clean = self._record('clean', None, size, np.ones(size, bool))
        weights = model_digest(self.model.model)
        standing = np.zeros(size, bool)
        standing[clean.index] = clean.correct
        records, metrics, covered = {'clean': clean}, {}, size
        metrics['clean/top1'] = percent(clean.correct)
        summary, classes = {}, clean.pred_score.shape[1]
        for name, attack in self.attacks.items():
            limit = min(self.limits.get(name) or size, size)
            covered = min(covered, limit)
            mark = self._fingerprint(name, limit, standing, weights, clean)
            record = self._resumed(name, mark)
            if record is None:
                record = self._record(name, attack, limit, standing)
                if is_main_process():
                    record.save(self.folder / f'{name}.npz', mark)
            standing[record.index] &= record.correct
            records[name] = record
            # Loaders that drop the last batch leave images out
            judged = standing[clean.index[clean.index < covered]]
            metrics.update(self._metrics(name, record, judged))
            summary[name] = summarise_attack(
                record, classes, attack=self.settings[name])
        metrics['worst_case/top1'] = percent(judged)
        summary['clean'] = summarise_attack(clean, classes)
        if is_main_process():
            meta = getattr(self.dataloader.dataset, 'metainfo', {})
            write_report(self.folder, records, meta.get('classes'), dict(
                attacks=summary, metrics=metrics, dtype=self.dtype,
                skip_broken=self.skip_broken, seed=self.seed))
        return metrics

    def _record(self, name: str, attack: Attack | None, limit: int,
                standing: np.ndarray) -> AttackRecord:
        """Attack this process's images and gather everyone's records."""
        def keep(index: np.ndarray) -> np.ndarray:
            chosen = index < limit
            return chosen & standing[index] if self.skip_broken else chosen

        start = time.time()
        total = int(keep(positions(self.dataloader)).sum())
        self.runner.logger.info(f'{name}: {total} images on this process')
        bar = ProgressBar(total, file=sys.stdout) if (
            total and is_main_process()) else None
        parts = []
        for batch in pixel_batches(self.dataloader, self.model, keep,
                                   self._batch_size()):
            pixels = found = batch.pixels.contiguous(
                memory_format=self.memory_format)
            if attack is not None:
                found = attack(self.model, pixels, batch.labels,
                               noise=image_noise(attack, batch, self.seed))
            parts.append(make_record(batch.index, batch.labels,
                                     self.model(found), found - pixels))
            if bar is not None:
                bar.update(len(batch.index))
        if bar is not None:
            bar.file.write('\n')
        return gather_records(parts)._replace(seconds=time.time() - start)

    def _batch_size(self) -> int:
        return getattr(self.dataloader.batch_sampler, 'batch_size', None) or 1

    def _fingerprint(self, name: str, limit: int, standing: np.ndarray,
                     weights: str, clean: AttackRecord) -> str:
        return digest(
            self.settings[name], limit, self.seed, self.dtype, weights,
            clean.index, clean.label, clean.pred_label,
            standing if self.skip_broken else None)

    def _resumed(self, name: str, mark: str) -> AttackRecord | None:
        found = [None]
        if self.resume and is_main_process():
            found = [load_record(self.folder / f'{name}.npz', mark)]
        broadcast_object_list(found)
        if found[0] is not None:
            self.runner.logger.info(f'{name}: finished by an earlier run')
        return found[0]

    def _metrics(self, name: str, record: AttackRecord,
                 standing: np.ndarray) -> dict:
        metrics = {f'{name}/worst_case': percent(standing)}
        if not self.skip_broken:
            classes = class_accuracy(record, record.pred_score.shape[1])
            metrics[f'{name}/top1'] = percent(record.correct)
            metrics[f'{name}/worst_class'] = float(np.nanmin(classes))
        return metrics
