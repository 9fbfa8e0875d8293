"""Markdown of the papers' claims beside what was measured."""
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from .claim_records import Cell, Claim, Evidence, counts
from .paired_stats import PairedDifference
from .result_pairs import (
    NOT_ALIKE,
    NOT_RUN,
    NOT_SUPPORTED,
    RULE,
    SUPPORTED,
    UNDECIDED,
)
from .table_cells import DASH, markdown

WORDS = (SUPPORTED, NOT_SUPPORTED, UNDECIDED, NOT_RUN)
HEADER = ('claim', "paper's difference", 'here, with 95% interval', 'seeds',
          'data, schedule', 'verdict')


def _paper_value(value: float, unit: str) -> str:
    if unit == 'times':
        return f'{math.exp(value):.2f} times'
    return f'{value:+g}'


def _paper_text(cells: Sequence[Cell], denied: Sequence[Cell]) -> str:
    """Range of the paper's differences, and how many contradict it."""
    values = [cell.paper for cell in cells if cell.paper is not None]
    if not values:
        return DASH
    unit = cells[0].unit
    low, high = (_paper_value(end(values), unit) for end in (min, max))
    text = low if low == high else f'{low.removesuffix(" times")} to {high}'
    if len(values) > 1:
        text += f' ({len(values)} cells)'
    against = sum(cell in denied for cell in cells)
    return f'{text}; the paper itself says no in {against}' if against else text


def difference_text(difference: PairedDifference, unit: str) -> str:
    """A difference with its interval, a ratio where logarithms were taken."""
    if unit != 'times':
        digits = 2 if unit == 'points' else 3
        text = difference.text(digits)
        return text if unit == 'points' else f'{text} {unit}'
    text = f'{math.exp(difference.mean):.3f} times'
    if difference.low is None:
        return text
    low, high = math.exp(difference.low), math.exp(difference.high)
    return f'{text} [{low:.3f}, {high:.3f}]'


def _evidence_cells(found: Evidence, unit: str) -> list[str]:
    count = str(found.difference.n) + ' rounds' * (unit == 'times')
    tag = f' (`{found.tag}`)' if found.tag else ''
    return [difference_text(found.difference, unit), count,
            f'{found.data}; {found.schedule}{tag}', found.verdict]


def _title(claim: Claim) -> str:
    entry = claim.entry
    return f'{entry["claim"]} ({entry["paper"]}, {entry["source"]})'


def _range_text(found: Sequence[Evidence], cells: Sequence[Cell]) -> str:
    """One difference with its interval, or the range of several."""
    unit = cells[0].unit
    ordered = sorted((e.difference for e in found), key=lambda d: d.mean)
    if len(ordered) == 1:
        return difference_text(ordered[0], unit)
    low, high = (difference_text(replace(d, low=None, high=None), unit)
                 for d in (ordered[0], ordered[-1]))
    what = (f'{len(cells)} cells' if len(cells) == len(found)
            else f'{len(found)} comparisons')
    return f'{low.removesuffix(f" {unit}")} to {high} ({what})'


def _short_rows(claim: Claim) -> list[list[str]]:
    """A line for what was run alike, one for all that was not run.

    What has an interval keeps a line of its own.
    """
    title, alike = _title(claim), {}
    for cell in claim.cells:
        for found in cell.evidence:
            alone = None if found.difference.low is None else id(found)
            key = (*_evidence_cells(found, cell.unit)[1:], cell.paper is None,
                   alone)
            alike.setdefault(key, []).append((cell, found))
    lines = []
    for (*key, _, _), members in alike.items():
        cells = list({id(cell): cell for cell, _ in members}.values())
        what = f'{title}: {cells[0].where}' if len(cells) == 1 else title
        lines.append([what, _paper_text(cells, claim.denied), _range_text(
            [found for _, found in members], cells), *key])
    rest = [cell for cell in claim.cells if not cell.evidence]
    if rest:
        what = title if not lines else f'{title}: the other cells'
        lines.append([what, _paper_text(rest, claim.denied), *[DASH] * 2,
                      _absence(rest), NOT_RUN])
    return lines


def _absence(cells: Sequence[Cell]) -> str:
    """Say so where both sides were run in settings of their own."""
    unlike = sum(cell.unlike for cell in cells)
    if not unlike:
        return DASH
    return NOT_ALIKE if unlike == len(cells) else f'{unlike}: {NOT_ALIKE}'


def _full_rows(claim: Claim) -> list[list[str]]:
    """A line for each cell and each comparison that was run in it."""
    lines = []
    for cell in claim.cells:
        head = [f'{_title(claim)}: {cell.where}',
                _paper_text([cell], claim.denied)]
        lines += [[*head, *_evidence_cells(found, cell.unit), found.run]
                  for found in cell.evidence]
        if not cell.evidence:
            lines.append([*head, *[DASH] * 2, _absence([cell]), NOT_RUN, DASH])
    return lines


def _sum_text(claims: Sequence[Claim]) -> str:
    found = counts(claims)
    return ', '.join(f'{found.get(word, 0)} {word}' for word in WORDS)


def claims_table(claims: Sequence[Claim], full: bool = False) -> str:
    """All claims with their verdicts.

    Args:
        claims (Sequence[Claim]): From :func:`gssl_mm.tooling.claims.judge`.
        full (bool): A line for each cell of the papers' tables, with the names
            of the runs. Defaults to False: cells of equal data, schedule, tag,
            seeds and verdict share a line with the range of their differences;
            those without a number of the paper's have one of their own.

    Returns:
        str: Markdown: the rule, the counts, the table.
    """
    rows: Iterable[list[str]] = (
        row for claim in claims
        for row in (_full_rows if full else _short_rows)(claim))
    header = [*HEADER, 'runs'] if full else HEADER
    return (f'{RULE}\n\n{len(claims)} claims, cell by cell: '
            f'{_sum_text(claims)}.\n\n{markdown(header, list(rows))}')


__all__ = ['claims_table', 'difference_text']
