"""What the results say about each of the papers' claims."""
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from .claim_records import Cell, Claim, ClaimFileError, Evidence
from .paired_stats import PairedDifference, paired_difference
from .result_pairs import known_stems, owned, pair_groups, verdict
from .result_records import Group, data_name, hardware_name
from .result_tables import base_of
from .table_cells import schedule_text


def table_cells(entry: dict, papers: dict) -> Iterator[Cell]:
    """Cells of the entry's rows, one for each column of the first row.

    Where an entry compares several pairs of rows, cells name theirs. Where it
    says what else differs between the rows' recipes, runs of them are no
    evidence.

    Raises:
        ClaimFileError: The entry names a table, row or column that the papers'
            rows lack.
    """
    rows = papers.get(entry.get('table'), {}).get('rows', [])
    for ours_name, base_name in entry.get('rows', []):
        chosen = [r for r in rows if r['row'] == ours_name
                  and r['what'] in entry.get('what', [r['what']])]
        bases = [base_of(dict(r, baseline=base_name), rows) for r in chosen]
        if not chosen or None in bases:
            raise ClaimFileError(
                f'claim {entry["claim"]!r}: {entry.get("table")!r} has no '
                f'rows {ours_name!r} and {base_name!r} with the same columns.')
        for row, base in zip(chosen, bases, strict=True):
            yield _cell(row, base, len(entry['rows']) > 1,
                        not entry.get('rows_differ'))


def _cell(row: dict, base: dict, several: bool, comparable: bool) -> Cell:
    values = (row['value'], base['value'])
    paper = None if None in values else round(values[0] - values[1], 2)
    network = _network(row, base)
    rows = f'({row["row"]} over {base["row"]})'
    where = [row['dataset'], row.get('ratio'), network,
             None if row['what'] == 'top-1' else row['what'],
             rows if several and not network else None]
    pairs = [((a, row['metric']), (b, base['metric'])) for a, b in zip(
        row['configs'], base['configs'], strict=False)]
    if not comparable:
        pairs = []
    return Cell(' '.join(str(w) for w in where if w), paper, pairs)


def _network(row: dict, base: dict) -> str | None:
    """The network, where a table has several: ``ResNet-56, SI``."""
    (ours, *more), (theirs, *others) = (
        r['row'].split(', ') for r in (row, base))
    return ours if ours == theirs and more and others else None


def own_cells(entry: dict) -> Iterator[Cell]:
    """Comparisons that are no cell of the paper's tables."""
    for extra in entry.get('pairs', []):
        yield Cell(extra['where'], extra.get('paper'),
                   [(tuple(extra['ours']), tuple(extra['base']))],
                   unit=entry.get('unit', 'points'))


def _compare(entry: dict, pair: tuple, groups: Sequence[Group],
             known: Sequence[str], own: bool) -> Iterator[Evidence]:
    """Compare runs; those of a recipe that is not the cell's own are named."""
    for found in pair_groups(groups, *pair, known):
        yield Evidence(
            found.difference, f'`{found.ours.stem}` less `{found.base.stem}`',
            found.ours.stem.removeprefix(pair[0][0] if own else '').lstrip('-'),
            data_name(found.ours.runs[0]), schedule_text(found.ours),
            verdict(found.difference, entry['direction'],
                    entry.get('margin', 0.)))


def _timed(entry: dict, spec: dict, folder: Path) -> Cell:
    """A comparison of two lines of a benchmark, over its rounds.

    Each took turns with the baseline alone, so that quotients to it are
    compared. With a ``limit`` ours is compared with that many times the base.
    """
    paper = spec.get('paper')
    cell = Cell(spec['where'], paper and math.log(paper), unit='times')
    path = folder / f'{spec["file"]}.json'
    if path.is_file():
        content = json.loads(path.read_text())
        rows = {row['variant']: row for row in content['rows']}
        if {spec['ours'], spec['base']} <= set(rows):
            cell.evidence.append(_timing_evidence(entry, spec, content, rows))
    return cell


def _timing_evidence(entry: dict, spec: dict, content: dict,
                     rows: dict) -> Evidence:
    ours, base = rows[spec['ours']], rows[spec['base']]
    limit = math.log(spec.get('limit', 1.))
    if 'base_ms' in ours and 'base_ms' in base:
        found = paired_difference(
            [ratio - limit for ratio in _log_ratios(ours)], _log_ratios(base))
    else:
        apart = math.log(ours['time_ratio'] / base['time_ratio']) - limit
        found = PairedDifference(
            content['settings']['rounds'], apart, None, None, None)
    return Evidence(
        found, f'{spec["ours"]} over {spec["base"]}', '',
        hardware_name(content), 'in turns with the baseline',
        verdict(found, entry['direction'], entry.get('margin', 0.)))


def _log_ratios(row: dict) -> list[float]:
    return [math.log(own / base) for own, base in zip(
        row['all_ms'], row['base_ms'], strict=True)]


def judge(entries: Sequence[dict], papers: dict, groups: Sequence[Group],
          benchmarks: Path) -> list[Claim]:
    """Look for evidence for each claim.

    Args:
        entries (Sequence[dict]): From :func:`claim_records.read_claims`.
        papers (dict): Content of ``paper_rows.json``.
        groups (Sequence[Group]): Measured results.
        benchmarks (Path): Folder of the benchmarks' files.

    Returns:
        list[Claim]: In the order of the entries.
    """
    known = {*known_stems(papers), *_named_stems(entries)}
    claims = []
    for entry in entries:
        cells = [*table_cells(entry, papers), *own_cells(entry)]
        for cell in cells:
            for place, pair in enumerate(cell.pairs):
                cell.evidence += _compare(entry, pair, groups, known,
                                          own=place == 0)
                cell.unlike |= all(owned(groups, stem, known)
                                   for stem, _ in pair)
        cells += [_timed(entry, spec, benchmarks)
                  for spec in entry.get('benchmarks', [])]
        claims.append(Claim(entry, cells))
    return claims


def _named_stems(entries: Sequence[dict]) -> Iterator[str]:
    for entry in entries:
        for extra in entry.get('pairs', []):
            yield extra['ours'][0]
            yield extra['base'][0]


__all__ = ['judge', 'own_cells', 'table_cells']
