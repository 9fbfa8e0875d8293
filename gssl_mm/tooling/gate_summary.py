"""What a study of gates found: accuracies, curves, paired differences."""
import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import OptionError
from .paired_stats import mean, paired_by_seed, sample_sd
from .result_files import read_run
from .result_records import comparable, data_name, hardware_name, metric_of

CURVES = 'gate_curves.json'
# Name in the study: metric of a run, and which of its values
METRICS = {
    'top1': ('accuracy/top1', 'last'),
    'top1_best': ('accuracy/top1', 'best'),
    'top1_median20': ('accuracy/top1', 'median_last20'),
    'many': ('shot/many', 'last'),
    'medium': ('shot/medium', 'last'),
    'few': ('shot/few', 'last'),
}
# What a row has from work dirs
CURVE_KEYS = ('curve_seeds', 'collapsed_at', 'first_epoch', 'epochs')
# A gate has collapsed when one task has this much of the weight
COLLAPSED = 0.9


@dataclass
class Variant:
    """The finished runs of one gate.

    Args:
        name (str): Of the variant.
        stem (str): Of its config.
        runs (dict[int, dict]): Seed to results.
        curves (dict[int, dict]): Seed to the content of ``gate_curves.json``,
            where the work dir is still there.
    """

    name: str
    stem: str
    runs: dict[int, dict] = field(default_factory=dict)
    curves: dict[int, dict] = field(default_factory=dict)

    def values(self, metric: str) -> dict[int, float]:
        """Seed to number, for the seeds that have it."""
        key, which = METRICS[metric]
        found = {seed: metric_of(run, key, which)
                 for seed, run in self.runs.items()}
        return {s: float(v) for s, v in found.items() if v is not None}


def read_variant(name: str, stem: str, seeds: Iterable[int], results: Path,
                 work_dirs: Path) -> Variant:
    """Read what tools/run_seeds.sh left of a variant."""
    variant = Variant(name, stem)
    for seed in seeds:
        path = results / stem / f'seed{seed}.json'
        run = read_run(path) if path.is_file() else None
        if run is None:
            continue
        variant.runs[seed] = run
        curves = work_dirs / stem / f'seed{seed}' / CURVES
        if curves.is_file():
            variant.curves[seed] = json.loads(curves.read_text())
    return variant


def check_settings(variants: Sequence[Variant]) -> None:
    """Refuse to compare runs of different data, schedule or precision.

    Raises:
        OptionError: Two runs differ in more than their gate and seed.
    """
    found: dict[tuple, str] = {}
    for variant in variants:
        texts = {run.get('config_text_sha') for run in variant.runs.values()}
        if len(texts) > 1:
            raise OptionError(
                f'the seeds of {variant.stem} were trained with {len(texts)} '
                'different configs, and can\'t be averaged. Run all of them '
                'alike, with RESULTS and WORK_DIRS of their own')
        for seed, run in variant.runs.items():
            found.setdefault(comparable(run), f'{variant.stem}, seed {seed}')
    if len(found) > 1:
        listed = '; '.join(f'{where}: {setting}'
                           for setting, where in found.items())
        raise OptionError(
            'the results differ in data, length, batch, precision or options, '
            f'and can\'t be compared: {listed}. Run all of them alike, with '
            'RESULTS and WORK_DIRS of their own')


def _spread(values: Iterable[float]) -> dict[str, Any] | None:
    kept = list(values)
    if not kept:
        return None
    return dict(mean=mean(kept), sd=sample_sd(kept), n=len(kept))


def _known(runs: Iterable[dict], key: str) -> list[str]:
    return sorted({run[key] for run in runs if run.get(key)})


def _last_epoch(variant: Variant, prefix: str) -> dict[str, Any]:
    """Means over the last epoch and over seeds, by task."""
    keys = sorted({key for run in variant.runs.values()
                   for key in run.get('train_last') or {}
                   if key.startswith(prefix)})
    return {key.removeprefix(prefix): _spread(
        run['train_last'][key] for run in variant.runs.values()
        if run['train_last'].get(key) is not None) for key in keys}


def mean_curves(curves: Iterable[dict], part: str) -> dict[str, list]:
    """Curves averaged over seeds, as far as all of them go.

    Args:
        curves (Iterable[dict]): Contents of ``gate_curves.json``.
        part (str): ``'first_epoch'`` or ``'epochs'``.
    """
    found: dict[str, list] = {}
    for content in curves:
        for key, values in content[part].items():
            found.setdefault(key, []).append(values)
    return {key: [None if None in column else statistics.fmean(column)
                  for column in zip(*rows, strict=False)]
            for key, rows in found.items()}


def gate_shares(content: dict) -> list[tuple] | None:
    """Weights of all tasks, an iteration of the first epoch each.

    Args:
        content (dict): Of ``gate_curves.json``.

    Returns:
        list[tuple], optional: None for a gate whose weights are no shares: of
        a single task, not known, or of a sum above one.
    """
    series = [values for key, values in content['first_epoch'].items()
              if key.startswith('gate_')]
    shares = list(zip(*series, strict=True))
    known = len(series) > 1 and not any(
        None in weights or sum(weights) > 1 + 1e-3 for weights in shares)
    return shares if known else None


def collapse_step(shares: list[tuple]) -> int | None:
    """First iteration, from 1, at which one task has most of the weight.

    Args:
        shares (list[tuple]): From :func:`gate_shares`.

    Returns:
        int, optional: None where that does not happen in the first epoch.
    """
    return next((step for step, weights in enumerate(shares, 1)
                 if max(weights) >= COLLAPSED), None)


def compare(variant: Variant, reference: Variant) -> dict[str, Any]:
    """Paired differences of all metrics, with 95% t-intervals."""
    found = {}
    for metric in METRICS:
        pair = paired_by_seed(variant.values(metric), reference.values(metric))
        if pair is not None:
            found[metric] = dict(n=pair.n, mean=pair.mean, sd=pair.sd,
                                 low=pair.low, high=pair.high)
    return found


def describe(variant: Variant, references: Sequence[Variant]) -> dict[str, Any]:
    """One row of the study."""
    shares_of = {seed: gate_shares(content)
                 for seed, content in variant.curves.items()}
    return dict(
        variant=variant.name, stem=variant.stem, seeds=sorted(variant.runs),
        configs=_known(variant.runs.values(), 'config_text_sha'),
        metrics={metric: dict(values=variant.values(metric), **(
            _spread(variant.values(metric).values()) or {}))
            for metric in METRICS},
        gate=_last_epoch(variant, 'gate_'),
        agreement=_last_epoch(variant, 'agree_'),
        pretext_accuracy=_last_epoch(variant, 'acc_'),
        curve_seeds=sorted(variant.curves),
        collapsed_at={seed: collapse_step(shares)
                      for seed, shares in shares_of.items()
                      if shares is not None},
        first_epoch=mean_curves(variant.curves.values(), 'first_epoch'),
        epochs=mean_curves(variant.curves.values(), 'epochs'),
        differences={other.name: compare(variant, other)
                     for other in references if other is not variant})


def summarise_study(variants: Sequence[Variant],
                    against: Sequence[str]) -> dict[str, Any]:
    """Compare the variants of a study.

    Args:
        variants (Sequence[Variant]): All of them, finished or not.
        against (Sequence[str]): Names of those that the others are compared
            with.

    Returns:
        dict: ``setting`` of the runs (None without any) and ``rows``.

    Raises:
        OptionError: Runs can't be compared, or a name is unknown.
    """
    check_settings(variants)
    names = {variant.name: variant for variant in variants}
    unknown = [name for name in against if name not in names]
    if unknown:
        raise OptionError(f'--against {unknown[0]}: allowed are '
                          f'{", ".join(names)}.')
    references = [names[name] for name in against]
    runs = [run for v in variants for run in v.runs.values()]
    first = next(iter(runs), None)
    setting = None if first is None else dict(
        data=data_name(first), dataset=first.get('dataset'),
        max_epochs=first.get('max_epochs'),
        total_batch_size=first.get('total_batch_size'),
        amp=first.get('amp'), commits=_known(runs, 'git_commit'),
        hardware=sorted({hardware_name(run) for run in runs}))
    return dict(setting=setting,
                rows=[describe(v, references) for v in variants])


def keep_curves(content: dict[str, Any], former: dict[str, Any]) -> None:
    """Take curves whose work dirs are gone from an earlier summary.

    Args:
        content (dict): The new summary; changed in place.
        former (dict): The content of its file so far. Curves of runs of
            another config or setting, or of seeds that are gone, are left
            behind.
    """
    here, there = (
        {**(found['setting'] or {}), 'commits': None, 'hardware': None}
        for found in (content, former))
    rows = {row['variant']: row for row in former['rows']}
    for row in content['rows'] if here == there else ():
        other = rows.get(row['variant'], dict(configs=None))
        if other['configs'] == row['configs'] and (
                set(row['curve_seeds']) < set(other['curve_seeds'])
                <= set(row['seeds'])):
            row.update({key: other[key] for key in CURVE_KEYS})


def keep_times(content: dict[str, Any], former: dict[str, Any]) -> None:
    """Take the step times of an earlier summary of the study.

    Args:
        content (dict): The new summary; changed in place.
        former (dict): The content of its file so far. Times of other options,
            or over those of another gate, are left behind.
    """
    same = 'timing' in former and former['options'] == content['options'] and (
        former['rows'][0]['variant'] == content['rows'][0]['variant'])
    if not same:
        return
    content['timing'] = former['timing']
    ratios = {row['variant']: row.get('step_time_ratio')
              for row in former['rows']}
    for row in content['rows']:
        row['step_time_ratio'] = ratios.get(row['variant'])


def keep_former(content: dict[str, Any], path: Path) -> None:
    """Take from the study's file so far what can't be had again.

    Args:
        content (dict): The new summary; changed in place.
        path (Path): The file, which need not exist.

    Raises:
        OptionError: It is something else, which must not be overwritten.
    """
    if not path.is_file():
        return
    try:
        former = json.loads(path.read_text())
        keep_times(content, former)
        keep_curves(content, former)
    except (AttributeError, IndexError, KeyError, TypeError,
            ValueError) as error:
        raise OptionError(
            f'{path} is there and is no study of gates, or can\'t be read. '
            'Give another --out, or remove it') from error


__all__ = [
    'CURVES', 'METRICS', 'Variant', 'collapse_step', 'compare', 'describe',
    'gate_shares', 'keep_curves', 'keep_former', 'keep_times', 'mean_curves',
    'read_variant', 'summarise_study'
]
