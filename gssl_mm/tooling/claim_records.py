"""The papers' claims as data."""
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .paired_stats import PairedDifference
from .result_pairs import DIRECTIONS, NOT_RUN

NEEDED = ('paper', 'source', 'claim', 'direction')


class ClaimFileError(ValueError):
    """An entry of the claims' file is wrong."""


@dataclass(frozen=True)
class Evidence:
    """One comparison that was run.

    Args:
        difference (PairedDifference): Ours less the base.
        run (str): Names of both sides.
        tag (str): What the names of both add to those of their configs.
        data (str): What both were trained on, or the machine of a benchmark.
        schedule (str): Of both.
        verdict (str): By the fixed rule.
    """

    difference: PairedDifference
    run: str
    tag: str
    data: str
    schedule: str
    verdict: str


@dataclass
class Cell:
    """A claim at one place: a column of a table, or a comparison of ours.

    Args:
        where (str): Data set, ratio, network and metric.
        paper (float, optional): The paper's difference; None where it prints
            no number.
        pairs (list): ``(ours, base)``, each a config stem and a metric.
        evidence (list[Evidence]): What was run.
        unit (str): Of the differences; ``'times'`` are logarithms of ratios.
        unlike (bool): Whether both sides of a pair were run, alike or not.
    """

    where: str
    paper: float | None
    pairs: list = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    unit: str = 'points'
    unlike: bool = False


@dataclass
class Claim:
    """A claim of a paper, its cells and what was found.

    Args:
        entry (dict): Of the claims' file.
        cells (list[Cell]): Where it is made.
    """

    entry: dict
    cells: list[Cell]

    @property
    def denied(self) -> list[Cell]:
        """Cells where the paper's own number contradicts the claim."""
        sign = dict(up=1, down=-1).get(self.entry['direction'])
        if sign is None:
            margin = self.entry['margin']
            return [c for c in self.cells
                    if c.paper is not None and abs(c.paper) > margin]
        return [c for c in self.cells
                if c.paper is not None and sign * c.paper <= 0]


def read_claims(path: Path) -> list[dict]:
    """Read the claims' file.

    Raises:
        ClaimFileError: An entry lacks a key or has an unknown direction.
    """
    entries = json.loads(path.read_text())
    for number, entry in enumerate(entries):
        missing = [key for key in NEEDED if not entry.get(key)]
        near = entry.get('direction') == 'near'
        if missing or entry['direction'] not in DIRECTIONS or (
                near and not entry.get('margin')):
            raise ClaimFileError(
                f'{path}, claim {number} ({entry.get("claim")}): needed are '
                f'{", ".join(NEEDED)}, a direction of {list(DIRECTIONS)}, and '
                f'a margin with near; missing: {missing}.')
    return entries


def counts(claims: Sequence[Claim]) -> dict[str, int]:
    """How often each word was found, a cell without evidence as not run."""
    found: dict[str, int] = {}
    for claim in claims:
        for cell in claim.cells:
            for word in [e.verdict for e in cell.evidence] or [NOT_RUN]:
                found[word] = found.get(word, 0) + 1
    return found


def plain(claims: Sequence[Claim]) -> list[dict[str, Any]]:
    """The claims as JSON can hold them."""
    return [dict(
        claim=claim.entry['claim'], paper=claim.entry['paper'],
        source=claim.entry['source'],
        cells=[dict(
            where=cell.where, paper_difference=cell.paper, unit=cell.unit,
            evidence=[dict(vars(e), difference=vars(e.difference))
                      for e in cell.evidence]) for cell in claim.cells])
        for claim in claims]


__all__ = [
    'Cell', 'Claim', 'ClaimFileError', 'Evidence', 'counts', 'plain',
    'read_claims'
]
