"""Markdown of the benchmark files, for the generated documents."""
import json
from pathlib import Path

from .table_cells import markdown


def _place(content: dict) -> str:
    hardware = content['hardware']
    versions = content['versions']
    machine = hardware['gpu'] if content.get('device') == 'cuda' else (
        f'{hardware["cpu"]}, {hardware["threads"]} thread(s)')
    return (f'{machine}; torch {versions["torch"]}, commit '
            f'{(content.get("git_commit") or "unknown")[:8]}.')


# Columns of single benchmarks: key of a row, title, format
EXTRAS = (('accuracy', 'accuracy, %', '.2f'),
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


def speed_tables(folder: Path) -> str:
    """Write a section for each JSON file that a benchmark left in a folder.

    Args:
        folder (Path): ``results/benchmarks``.

    Returns:
        str: Markdown; a sentence where there is no file.
    """
    sections = []
    for path in sorted(folder.glob('*.json')):
        content = json.loads(path.read_text())
        parts = [f'### {path.stem}', _place(content)]
        if content.get('rows'):
            parts.append(_timing(content['rows']))
        parts.append(_promises(content.get('promises', [])))
        sections.append('\n\n'.join(part for part in parts if part))
    return '\n\n'.join(sections) or 'Nothing was measured yet.'


__all__ = ['speed_tables']
