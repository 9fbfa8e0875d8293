"""Charts as SVG text: readable at a phone's width, coloured by the page."""
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 380, 220
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 30
MAX_POINTS = 240
RUN_COLOURS = 6


@dataclass
class Series:
    """A line of a chart.

    Args:
        label (str): What it is.
        x (Sequence[float]): Positions.
        y (Sequence[float]): Values; nan is a gap.
        colour (int): Which of the page's colours.
        dash (int): Which of its line styles. Defaults to 0, solid.
        run (int): The run that it belongs to. Defaults to -1, all.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    colour: int
    dash: int = 0
    run: int = -1

    def thinned(self) -> list[tuple[float, float]]:
        """Finite points; means of neighbours where there are too many."""
        points = [(a, b) for a, b in zip(self.x, self.y, strict=True)
                  if math.isfinite(b)]
        size = -(-len(points) // MAX_POINTS)
        if size < 2:
            return points
        parts = [points[i:i + size] for i in range(0, len(points), size)]
        return [(sum(p[0] for p in part) / len(part),
                 sum(p[1] for p in part) / len(part)) for part in parts]


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers from low to high."""
    if not high > low:
        return [low]
    rough = (high - low) / count
    power = 10 ** math.floor(math.log10(rough))
    step = min((f * power for f in (1, 2, 5, 10)), key=lambda s: abs(s - rough))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def number(value: float) -> str:
    """Write a number of an axis."""
    if value and (abs(value) < 1e-3 or abs(value) >= 1e5):
        return f'{value:.0e}'.replace('e-0', 'e-').replace('e+0', 'e')
    return f'{value:g}'


class Scale:
    """Numbers to places on the page.

    Args:
        low (float): Smallest number.
        high (float): Largest number.
        start (float): Place of the smallest.
        stop (float): Place of the largest.
        log (bool): Logarithmic. Defaults to False.
    """

    def __init__(self, low: float, high: float, start: float, stop: float,
                 log: bool = False) -> None:
        self.log = log and low > 0
        if not high > low:
            low, high = (low / 2, high * 2) if self.log else (low - .5,
                                                              high + .5)
        self.low, self.high, self.start, self.stop = low, high, start, stop

    def __call__(self, value: float) -> float:
        """Place of a number."""
        low, high = self.low, self.high
        if self.log:
            value, low, high = (math.log10(v) for v in (value, low, high))
        return self.start + (value - low) / (high - low) * (
            self.stop - self.start)

    def ticks(self) -> list[float]:
        """Numbers to write at the axis."""
        if not self.log:
            return ticks(self.low, self.high)
        first = math.floor(math.log10(self.low))
        last = math.ceil(math.log10(self.high))
        found = [10.**i for i in range(first, last + 1)
                 if self.low <= 10.**i <= self.high]
        return found or [self.low, self.high]


def _range(series: Sequence[Series], limits: tuple | None, log: bool
           ) -> tuple[float, float]:
    if limits is not None and None not in limits:
        return limits
    values = [v for s in series for _, v in s.thinned()]
    low, high = min(values), max(values)
    if log and low > 0:
        return low / 1.3, high * 1.3
    room = .04 * (high - low)
    given = limits or (None, None)
    return (low - room if given[0] is None else given[0],
            high + room if given[1] is None else given[1])


def _axes(x: Scale, y: Scale, xlabel: str) -> str:
    parts = []
    for tick in y.ticks():
        place = y(tick)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" '
            f'y1="{place:.1f}" y2="{place:.1f}"/><text x="{LEFT - 6}" '
            f'y="{place + 4:.1f}" text-anchor="end">{number(tick)}</text>')
    for tick in x.ticks():
        parts.append(f'<text x="{x(tick):.1f}" y="{HEIGHT - 14}" '
                     f'text-anchor="middle">{number(tick)}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 1}" '
                 f'text-anchor="middle">{escape(xlabel)}</text>')
    return ''.join(parts)


def _line(series: Series, x: Scale, y: Scale) -> str:
    points = [(a, b) for a, b in series.thinned() if not y.log or b > 0]
    places = ' '.join(f'{x(a):.1f},{y(b):.1f}' for a, b in points)
    style = f'c{series.colour} d{series.dash}'
    shape = (f'<polyline points="{places}"/>' if len(points) > 1 else
             ''.join(f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3"/>'
                     for a, b in points))
    values = ' '.join(f'{a:.6g},{b:.5g}' for a, b in points)
    return (f'<g class="line {style}" data-run="{series.run}" '
            f'data-label="{escape(series.label)}" data-values="{values}">'
            f'<title>{escape(series.label)}</title>{shape}</g>')


def line_chart(title: str, series: Sequence[Series], xlabel: str,
               limits: tuple | None = None, log: bool = False,
               level: float | None = None, run: int = -1) -> str:
    """Draw lines; nothing where there is no finite value.

    Args:
        title (str): Above the chart.
        series (Sequence[Series]): The lines.
        xlabel (str): Of the horizontal axis.
        limits (tuple, optional): Of the vertical axis; either may be None.
        log (bool): Logarithmic vertical axis. Defaults to False.
        level (float, optional): A horizontal line, chance for instance.
        run (int): The only run that it shows. Defaults to -1, several.
    """
    series = [s for s in series if s.thinned()]
    if not series:
        return ''
    along = [a for s in series for a, _ in s.thinned()]
    x = Scale(min(0, *along), max(along), LEFT, WIDTH - RIGHT)
    low, high = _range(series, limits, log)
    if level is not None:
        low, high = min(low, level), max(high, level)
    y = Scale(low, high, HEIGHT - BOTTOM, TOP, log)
    rule = '' if level is None else (
        f'<line class="level" x1="{LEFT}" x2="{WIDTH - RIGHT}" '
        f'y1="{y(level):.1f}" y2="{y(level):.1f}"/>')
    body = _axes(x, y, xlabel) + rule + ''.join(
        _line(s, x, y) for s in series)
    return (f'<figure class="chart" data-run="{run}"><figcaption>'
            f'{escape(title)}</figcaption>'
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'data-x="{x.low} {x.high} {x.start} {x.stop}" '
            f'aria-label="{escape(title)}">{body}'
            f'<line class="cursor" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/></svg>'
            f'{_legend(series)}<output></output></figure>')


def _legend(series: Sequence[Series]) -> str:
    """Names of lines whose colour is not the run's."""
    if all(s.run >= 0 and s.colour == s.run % RUN_COLOURS for s in series):
        return ''
    items = ''.join(
        f'<li class="c{s.colour}" data-run="{s.run}"><svg viewBox="0 0 24 8">'
        f'<line class="d{s.dash}" x1="0" x2="24" y1="4" y2="4"/></svg>'
        f'{escape(s.label)}</li>' for s in series)
    return f'<ul class="legend">{items}</ul>'


__all__ = ['RUN_COLOURS', 'Scale', 'Series', 'line_chart', 'number', 'ticks']
