"""Pieces of the page: tables, sections, notes."""
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any


@dataclass(frozen=True)
class Html:
    """Text that is HTML already."""

    text: str


def _cell(value: Any, digits: int) -> str:
    if value is None or value != value:
        return '<td class="none" data-v="">–</td>'
    if isinstance(value, Html):
        return f'<td>{value.text}</td>'
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = f'{value:,}' if isinstance(value, int) else (
            f'{value:.{digits}f}')
        return f'<td class="num" data-v="{value!r}">{text}</td>'
    return f'<td>{escape(str(value))}</td>'


def _is_numeric(values: Sequence[Any]) -> bool:
    kinds = {type(v) for v in values if v is not None}
    return bool(kinds) and kinds <= {int, float}


def table(header: Sequence[str], rows: Sequence[Sequence[Any]],
          digits: int = 2, name: str = '', kind: str = '') -> str:
    """Write a table that sorts when a heading is pressed.

    Args:
        header (Sequence[str]): Headings.
        rows (Sequence): Texts, numbers, None, or :class:`Html`.
        digits (int): After the decimal point. Defaults to 2.
        name (str): What it is, for readers that do not see.
        kind (str): A further class.
    """
    numeric = [_is_numeric([row[i] for row in rows])
               for i in range(len(header))]
    heads = ''.join(
        f'<th scope="col"{" class=num" if right else ""}><button '
        f'type="button">{escape(h)}</button></th>'
        for h, right in zip(header, numeric, strict=True))
    body = ''.join(
        '<tr>' + ''.join(_cell(value, digits) for value in row) + '</tr>'
        for row in rows)
    return (f'<div class="wide"><table class="sortable {kind}" '
            f'aria-label="{escape(name)}"><thead><tr>{heads}</tr></thead>'
            f'<tbody>{body}</tbody></table></div>')


def section(anchor: str, title: str, *parts: str, note: str = '') -> str:
    """Write a section; nothing when it has no parts.

    Args:
        anchor (str): Its id.
        title (str): Its heading.
        *parts (str): HTML.
        note (str): A sentence below the heading.
    """
    body = ''.join(parts)
    if not body:
        return ''
    words = f'<p class="note">{escape(note)}</p>' if note else ''
    return (f'<section id="{anchor}"><h2>{escape(title)}</h2>{words}{body}'
            '</section>')


def grid(*charts: str, kind: str = '') -> str:
    """Put charts side by side as the width allows."""
    found = ''.join(charts)
    return f'<div class="grid-of-charts {kind}">{found}</div>' if found else ''


def reason(text: str) -> str:
    """Say why something is not there."""
    return f'<p class="missing">{escape(text)}</p>'


def chip(name: str, run: int) -> str:
    """The name of a run in its colour."""
    return (f'<span class="chip c{run % 6}" data-run="{run}"><i></i>'
            f'{escape(name)}</span>')


def details(summary: str, body: str) -> str:
    """Fold something away; it is unfolded in print."""
    return (f'<details><summary>{escape(summary)}</summary>{body}'
            '</details>')


__all__ = ['Html', 'chip', 'details', 'grid', 'reason', 'section', 'table']
