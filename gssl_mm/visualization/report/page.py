"""One self-contained HTML page of one or several runs."""
from collections.abc import Sequence
from html import escape
from pathlib import Path

from gssl_mm.atomic_io import atomic_write
from gssl_mm.version import __version__

from ..run_record import RunRecord
from . import facts, looks
from . import look_sections as views
from .blocks import grid, section

HERE = Path(__file__).parent


def _switches(runs: Sequence[RunRecord]) -> str:
    """A button a run that shows and hides it everywhere."""
    return '<div class="switches">' + ''.join(
        f'<button type="button" class="c{i % 6} d{i % 4}" data-toggle="{i}" '
        f'aria-pressed="true"><svg viewBox="0 0 24 8"><line x1="0" x2="24" '
        f'y1="4" y2="4"/></svg>{escape(run.name)}</button>'
        for i, run in enumerate(runs)) + '</div>'


def _count(found: looks.Looks) -> str:
    return '' if found.samples is None else (
        f'On {len(found.samples.images):,} test images, equally many a class, '
        'the same for every run.')


def _sections(runs: Sequence[RunRecord], found: looks.Looks | None
              ) -> list[str]:
    tested = {} if found is None else {
        p: f.pretext for p, f in found.runs.items() if f.pretext}
    parts = [
        section('runs', 'Runs', facts.overview(runs), facts.notes(runs)),
        section('curves', 'Curves', grid(*facts.curves(runs))),
        section('gates', 'Gate', grid(*facts.gates(runs)),
                note='The grey line is an equal share.'),
        section('pretext', 'Pretext tasks', *facts.pretext(runs, tested),
                note='The grey line is chance. An image whose quadrant was '
                'not changed has no right answer for the rotation: with '
                'rotation alone 81.25% is the most.'),
        section('classes', 'Classes', facts.classes(runs))]
    if found is not None:
        parts += [
            section('attention', 'Where they look',
                    *views.attention(found, runs),
                    note='Evidence for the class that each model predicts, '
                    'light is strong. Below: prediction and confidence. '
                    f'Weights: {views.checkpoints(found, runs) or "none"}.'),
            section('features', 'Features', *views.embeddings(found, runs),
                    note=f'{_count(found)} t-SNE of the pooled feature; its '
                    'axes and distances between groups mean nothing, the '
                    'numbers do.'),
            section('errors', 'Confusions', *views.errors(found, runs),
                    note=_count(found)),
            section('calibration', 'Calibration',
                    *views.calibrations(found, runs), note=_count(found))]
    return [*parts,
            section('configs', 'Config', *facts.configs(runs)),
            section('environment', 'Environment', facts.environment(runs))]


def build_page(runs: Sequence[RunRecord], found: looks.Looks | None = None,
               title: str = '') -> str:
    """Write the page.

    Args:
        runs (Sequence[RunRecord]): The runs.
        found (Looks, optional): What their models show. Defaults to None,
            those sections are left out.
        title (str): Defaults to the names of the runs.

    Returns:
        str: HTML that needs no other file and no network.
    """
    sections = [s for s in _sections(runs, found) if s]
    title = title or ', '.join(run.name for run in runs)
    links = ''.join(
        f'<a href="#{s.split(chr(34))[1]}">'
        f'{s.split("<h2>")[1].split("</h2>")[0]}</a>' for s in sections)
    style = (HERE / 'report.css').read_text()
    script = (HERE / 'report.js').read_text()
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f'<title>{escape(title)}</title><style>{style}</style></head><body>'
        f'<header><h1>{escape(title)}</h1><nav>{links}</nav></header>'
        f'{_switches(runs) if len(runs) > 1 else ""}'
        f'<main>{"".join(sections)}</main>'
        f'<footer>Written by gssl_mm {__version__}.</footer>'
        f'<script>{script}</script></body></html>\n')


def write_page(runs: Sequence[RunRecord], out: Path,
               options: looks.LookOptions | None = None,
               title: str = '') -> Path:
    """Look at the models, and write the page.

    Args:
        runs (Sequence[RunRecord]): The runs.
        out (Path): Where to.
        options (LookOptions, optional): What to compute with the models.
            Defaults to None, nothing.
        title (str): Defaults to the names of the runs.
    """
    found = None if options is None else looks.look(runs, options)
    atomic_write(out, build_page(runs, found, title).encode())
    return out


__all__ = ['build_page', 'write_page']
