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


def _timing(rows: list[dict]) -> str:
    header = ('what', 'variant', 'ms a step', 'images/s', 'time ratio')
    cells = [(r['part'], r['variant'], f'failed: {r["error"]}', '', '')
             if 'error' in r else
             (r['part'], r['variant'], f'{r["ms"]:.2f}',
              f'{r["images_per_s"]:,.0f}', f'{r["time_ratio"]:.3f}')
             for r in rows]
    return markdown(header, cells)


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
