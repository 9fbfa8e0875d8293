"""Markdown of the benchmark files, for the generated documents."""
import json
from pathlib import Path

from .result_records import hardware_name
from .table_cells import markdown

# Options that say where, or nothing about what was measured
_UNSAID = ('device', 'threads', 'quick', 'check', 'out', 'data_root', 'root',
           'checkpoint', 'work_dir')


def _place(content: dict) -> str:
    versions = content['versions']
    load = content.get('load_average')
    busy = '' if load is None else f', load {load:.1f} before the start'
    said = [f'{key.replace("_", " ")} {value}'
            for key, value in (content.get('settings') or {}).items()
            if key not in _UNSAID and isinstance(value, int | float | str)]
    options = f' Started with {", ".join(said)}.' if said else ''
    return (f'{hardware_name(content)}{busy}; torch {versions["torch"]}, '
            f'commit {(content.get("git_commit") or "unknown")[:8]}.{options}')


NOT_MEASURED = 'Not measured yet.'
# Files that the documents promise, in any folder
BENCHMARKS = (
    'data_memory', 'feature_mask_cost', 'fixmatch_step', 'host_comparison',
    'pgd', 'pretext_transform', 'rand_augment', 'scaling', 'tiny_cache',
    'train_step_loader', 'train_step_precision', 'train_step_tasks')
# Columns of single benchmarks: key of a row, title, format
EXTRAS = (('accuracy', 'accuracy, %', '.2f'),
          ('epoch_s', 'a whole epoch, s', '.1f'),
          ('speed_over_one', 'speed over one process', '.2f'),
          ('saved_ratio', 'saved tensors ratio', '.3f'),
          ('peak_ratio', 'GPU peak ratio', '.3f'),
          ('paper_time_ratio', "paper's time ratio", '.3f'),
          ('paper_memory_ratio', "paper's memory ratio", '.3f'))


def _timing(rows: list[dict]) -> str:
    extras = [e for e in EXTRAS if any(e[0] in row for row in rows)]
    header = ('what', 'variant', 'ms a step', 'images/s', 'time ratio',
              *(title for _, title, _ in extras))
    return markdown(header, [_line(row, extras) for row in rows])


def _line(row: dict, extras: list[tuple]) -> list[str]:
    head = [row['part'], row['variant']]
    if 'error' in row:
        return [*head, f'failed: {row["error"]}', *[''] * (2 + len(extras))]
    return [*head, f'{row["ms"]:.2f}', f'{row["images_per_s"]:,.0f}',
            f'{row["time_ratio"]:.3f}',
            *(format(row[key], digits) if row.get(key) is not None else ''
              for key, _, digits in extras)]


def _promises(promises: list[dict]) -> str:
    return '\n'.join(
        f'- {"holds" if p["holds"] else "**does not hold**"}: {p["name"]}: '
        f'{p["ratio"]:.3f} (promised {p["relation"]} {p["limit"]:g})'
        for p in promises)


def curve_table(curve: list[dict]) -> str:
    """Modelled speed of several GPUs, from the slow to the fast end.

    Args:
        curve (list[dict]): The rows that ``scaling.py`` keeps.
    """
    return markdown(
        ('scaling', 'GPUs', 'images each', 'ms a step', 'images/s',
         'efficiency'),
        [[row['scaling'], f'{row["gpus"]}', f'{row["images_each"]}',
          f'{row["ms_fast"]:.2f} to {row["ms_slow"]:.2f}',
          f'{row["images_per_s_slow"]:,.0f} to {row["images_per_s_fast"]:,.0f}',
          f'{row["efficiency_slow"]:.2f} to {row["efficiency_fast"]:.2f}']
         for row in curve])


def _model(content: dict) -> list[str]:
    """What a file of scaling.py computes beyond what it measured."""
    curve = content.get('model', {}).get('curve')
    if not curve:
        return []
    reduced, said = content['reduced'], content['settings']
    return [
        f'Modelled from the compute of {content["model"]["machine"]}, **not '
        f'measured**: a step reduces {reduced["gradient_bytes"]:,} bytes of '
        f'gradients and {reduced["other_bytes"]:,} others in '
        f'{reduced["calls"]} calls (counted); assumed are '
        f'{said["inside"]:g} GB/s within a node of {said["node"]} GPUs, '
        f'{said["between"]:g} GB/s beyond and {said["latency"]:g} '
        'microseconds a hop.', curve_table(curve)]


def _section(path: Path) -> str:
    parts = [f'### {path.stem}']
    if not path.is_file():
        return '\n\n'.join([*parts, NOT_MEASURED])
    content = json.loads(path.read_text())
    parts.append(_place(content))
    if content.get('rows'):
        parts.append(_timing(content['rows']))
    parts += [*_model(content), _promises(content.get('promises', []))]
    return '\n\n'.join(part for part in parts if part)


def speed_tables(folder: Path) -> str:
    """Write a section for each benchmark and each file in a folder.

    Args:
        folder (Path): ``results/benchmarks``.

    Returns:
        str: Markdown; a benchmark without a file is said to be not measured.
    """
    stems = {*BENCHMARKS, *(path.stem for path in folder.glob('*.json'))}
    return '\n\n'.join(_section(folder / f'{stem}.json')
                       for stem in sorted(stems))


__all__ = ['NOT_MEASURED', 'curve_table', 'speed_tables']
