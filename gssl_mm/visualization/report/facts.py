"""Sections that need nothing but the work dirs."""
from collections.abc import Sequence
from html import escape
from typing import Any

from ..pretext_chance import chance_of
from ..run_record import RunRecord, config_rows
from .blocks import Html, chip, details, reason, section, table
from .charts import RUN_COLOURS, Series, line_chart
from .shapes import class_chart

SHOTS = ('shot/many', 'shot/medium', 'shot/few')
NOT_METRICS = ('data_time', 'time')
TASK = ('gate_', 'ce_', 'acc_')


def _hours(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    minutes = round(seconds / 60)
    return f'{minutes // 60}:{minutes % 60:02d} h'


def main_metric(runs: Sequence[RunRecord]) -> str | None:
    """The metric that the page opens with."""
    keys = [k for run in runs for k in run.log.val if k not in NOT_METRICS]
    return 'accuracy/top1' if 'accuracy/top1' in keys else next(
        iter(keys), None)


def overview(runs: Sequence[RunRecord]) -> str:
    """A row a run: how far, how good, how long."""
    key = main_metric(runs)
    rows = []
    for place, run in enumerate(runs):
        found = run.metric(key) if key else {}
        shots = [run.metric(shot).get('last') for shot in SHOTS]
        rows.append([
            Html(chip(run.name, place)), run.status, found.get('last'),
            found.get('best'), found.get('best_step'), *shots,
            run.result.get('seed', (run.cfg.get('randomness') or {}).get(
                'seed')),
            _hours(run.result.get('wall_time_s'))])
    named = 'top-1' if key == 'accuracy/top1' else key or 'metric'
    header = ['run', 'state', f'{named}, last', 'best', 'best at',
              'many', 'medium', 'few', 'seed', 'time']
    kept = [i for i in range(len(header)) if i < 2 or any(
        row[i] is not None for row in rows)]
    return table([header[i] for i in kept],
                 [[row[i] for i in kept] for row in rows], name='runs',
                 kind='overview')


def _curve(run: RunRecord, key: str) -> tuple:
    """A curve; the only loss there is, is the classifier's."""
    alone = not any('loss_' in logged for logged in run.log.train)
    return run.curve('loss' if key == 'loss_cls' and alone else key)


def _per_run(runs: Sequence[RunRecord], key: str) -> list[Series]:
    found = [Series(run.name, *_curve(run, key), place % RUN_COLOURS,
                    place % 4, place) for place, run in enumerate(runs)]
    return [series for series in found if len(series.x)]


def _title(key: str) -> str:
    names = {'lr': 'learning rate', 'loss': 'training loss, all terms',
             'accuracy/top1': 'test accuracy, top-1 (%)',
             'accuracy/top5': 'test accuracy, top-5 (%)',
             'loss_cls': 'training loss of the classifier'}
    if key.startswith('shot/'):
        return f'test accuracy, {key[5:]}-shot classes (%)'
    if key.startswith('acc_'):
        return f'{key[4:]}: training accuracy (%)'
    if key.startswith('loss_') and key not in names:
        return f'training loss: {key[5:]}, weighted'
    if key.startswith('ce_'):
        return f'{key[3:]}: cross-entropy (nats)'
    return names.get(key, key)


def _all(runs: Sequence[RunRecord], which: str) -> list[str]:
    return list(dict.fromkeys(
        key for run in runs for key in getattr(run.log, which)
        if key not in NOT_METRICS))


def axis_name(runs: Sequence[RunRecord]) -> str:
    """What curves run along."""
    units = {run.by_epoch for run in runs}
    return 'epoch' if units == {True} else (
        'iteration' if units == {False} else 'epoch, or iteration')


def curves(runs: Sequence[RunRecord]) -> list[str]:
    """Charts of test metrics, losses and the learning rate."""
    unit = axis_name(runs)
    tested = [line_chart(_title(key), _per_run(runs, key), unit)
              for key in _all(runs, 'val')]
    logged = [key for key in _all(runs, 'train')
              if key not in ('lr', ) and not key.startswith(TASK)]
    losses = [line_chart(_title(key), _per_run(runs, key), unit)
              for key in logged]
    rate = line_chart(_title('lr'), _per_run(runs, 'lr'), unit, log=True)
    return [*tested, *losses, rate]


def gates(runs: Sequence[RunRecord]) -> list[str]:
    """A chart a gated run: the weights of its tasks."""
    charts = []
    for place, run in enumerate(runs):
        keys = run.keys('gate_')
        series = [Series(key[5:], *run.curve(key), i % RUN_COLOURS, i % 4)
                  for i, key in enumerate(keys)]
        if series:
            charts.append(line_chart(
                f'{run.name}: gate weights', series, axis_name([run]),
                (0, None), level=1 / len(series) if len(series) > 1
                else None, run=place))
    return charts


def pretext(runs: Sequence[RunRecord], tested: dict[int, dict[str, float]]
            ) -> list[str]:
    """Accuracy of the pretext tasks: a table, and charts."""
    rows = []
    for place, run in enumerate(runs):
        chance = chance_of(run.cfg)
        for key in run.keys('acc_'):
            task = key[4:]
            _, values = run.curve(key)
            gate = run.curve(f'gate_{task}')[1]
            last = (run.result.get('train_last') or {}).get(key)
            rows.append([
                Html(chip(run.name, place)), task, chance.get(task),
                last if last is not None else _tail(values),
                tested.get(place, {}).get(task),
                _tail(gate)])
    if not rows:
        return []
    header = ['run', 'task', 'chance (%)', 'train, last epoch (%)',
              'test (%)', 'gate, last']
    chances = {t: c for run in runs for t, c in chance_of(run.cfg).items()}
    keys = [k for k in _all(runs, 'train') if k.startswith('acc_')]
    charts = [line_chart(_title(key), _per_run(runs, key), axis_name(runs),
                         level=chances.get(key[4:])) for key in keys]
    return [table(header, rows, name='pretext tasks'),
            '<div class="grid-of-charts">', *charts, '</div>']


def _tail(values: Sequence[float], count: int = 5) -> float | None:
    """Mean of the last logged values: one batch alone says little."""
    kept = [v for v in values if v == v][-count:]
    return sum(kept) / len(kept) if kept else None


def classes(runs: Sequence[RunRecord]) -> str:
    """Accuracy of each class, for the runs that wrote a table of it."""
    tables = {place: run.per_class for place, run in enumerate(runs)
              if run.per_class}
    if not tables:
        return reason(
            'No run wrote per_class_accuracy.csv: evaluate with '
            "dict(type='gssl_mm.ShotAccuracy', per_class_csv=True).")
    names, counts, _ = next(iter(tables.values()))
    same = {p: t[2] for p, t in tables.items() if t[0] == names}
    rows = [[name, count, *(values[i] for values in same.values())]
            for i, (name, count) in enumerate(zip(names, counts, strict=True))]
    header = ['class', 'train images', *(runs[p].name for p in same)]
    listed = table(header, rows, 1, 'classes')
    left_out = [runs[p].name for p in tables if p not in same]
    extra = reason(f'Other classes: {", ".join(left_out)}.') if left_out \
        else ''
    folded = details('All classes in numbers', listed) if len(names) > 30 \
        else listed
    return ('<div class="pair">' + class_chart(names, counts, same) + folded +
            '</div>' + extra)


def configs(runs: Sequence[RunRecord]) -> list[str]:
    """What differs between the configs, and each config in full."""
    parts = []
    if len(runs) > 1:
        unlike, same = config_rows(list(runs))
        header = ['key', *(run.name for run in runs)]
        parts.append(table(header, unlike, name='config difference',
                           kind='code') if unlike else
                     reason('The configs are equal.'))
        parts.append(f'<p class="note">{same} further values are equal.</p>')
    parts += [details(f'Config of {run.name}',
                      f'<pre>{escape(run.cfg.pretty_text)}</pre>')
              for run in runs]
    return parts


def environment(runs: Sequence[RunRecord]) -> str:
    """Versions, hardware, data: a row a fact, a column a run."""
    found = [_facts(run) for run in runs]
    keys = list(dict.fromkeys(key for facts in found for key in facts))
    rows = [[key, *(facts.get(key) for facts in found)] for key in keys]
    return table(['', *(run.name for run in runs)], rows, name='environment',
                 kind='code')


def _facts(run: RunRecord) -> dict[str, Any]:
    result, data = run.result, run.result.get('dataset') or {}
    machine = result.get('hardware') or {}
    facts = {'work dir': run.path.resolve().name, 'state': run.status}
    if not result:
        facts['note'] = 'result.json is written when the run ends'
    picked = dict(
        config=result.get('config'), label=result.get('label'),
        commit=result.get('git_commit'), data=data.get('type'),
        imbalance=(data.get('imbalance') or {}).get('ratio'),
        cpu=machine.get('cpu'), instructions=machine.get('cpu_capability'),
        threads=machine.get('threads'),
        gpu=machine.get('gpu'), processes=result.get('world_size'),
        amp=result.get('amp'), compiled=result.get('compile'))
    picked['training images'] = data.get('num_train')
    picked['total batch'] = result.get('total_batch_size') or run.cfg.get(
        'total_batch_size')
    facts.update({k: str(v) for k, v in picked.items() if v is not None})
    facts.update({k: str(v) for k, v in (
        result.get('versions') or {}).items()})
    facts['resumed'] = (f'{len(run.log.resumed)} times'
                        if run.log.resumed else 'never')
    return facts


def notes(runs: Sequence[RunRecord]) -> str:
    """What a reader should know of the logs."""
    return ''.join(reason(
        f'{run.name}: the last line of its log is incomplete; the run is '
        'going on, or was killed.') for run in runs if run.log.cut)


__all__ = [
    'classes', 'configs', 'curves', 'environment', 'gates', 'main_metric',
    'notes', 'overview', 'pretext', 'section'
]
