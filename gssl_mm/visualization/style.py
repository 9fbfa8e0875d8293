"""One look for every figure: safe colours, PNG and SVG side by side."""
from pathlib import Path
from typing import Any

from .errors import FigureFormatError

# Okabe and Ito: told apart under every common colour blindness.
PALETTE = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9',
           '#F0E442', '#000000')
LINES = ('-', '--', '-.', ':')
FORMATS = ('png', 'svg')
GREY = '#999999'
_OTHERS = ('pdf', 'jpg', 'jpeg', 'eps', 'ps', 'webp', 'gif', 'tif', 'tiff')


def new_figure(width: float, height: float, rows: int = 1, cols: int = 1,
               **kwargs: Any) -> tuple:
    """Make a figure that needs no display.

    Args:
        width (float): In inches.
        height (float): In inches.
        rows (int): Rows of axes. Defaults to 1.
        cols (int): Columns of axes. Defaults to 1.
        **kwargs: Arguments of ``Figure.subplots``.

    Returns:
        tuple: The figure and its axes, as ``Figure.subplots`` gives them.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    figure = Figure(figsize=(width, height), layout='constrained')
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, cols, **kwargs)


def save_figure(figure: Any, path: str | Path,
                formats: tuple[str, ...] = FORMATS) -> list[Path]:
    """Save a figure in several formats.

    Args:
        figure (Figure): The figure.
        path (str | Path): Where to; a suffix ``.png`` or ``.svg`` is replaced
            by each format's.
        formats (tuple[str]): Defaults to PNG and SVG.

    Returns:
        list[Path]: The files written.

    Raises:
        FigureFormatError: The suffix is that of another format.
    """
    path = Path(path)
    suffix = path.suffix.lower().lstrip('.')
    if suffix in _OTHERS:
        raise FigureFormatError(
            f'{path}: figures are written as {" and ".join(formats)}, not as '
            f'{suffix}. Leave the suffix out, or give one of the two.')
    stem = path.stem if suffix in formats else path.name
    path.parent.mkdir(parents=True, exist_ok=True)
    files = []
    for suffix in formats:
        file = path.with_name(f'{stem}.{suffix}')
        extra = {'Date': None} if suffix == 'svg' else {'Software': None}
        figure.savefig(file, dpi=150, metadata=extra)
        files.append(file)
    return files


__all__ = ['FORMATS', 'GREY', 'LINES', 'PALETTE', 'new_figure', 'save_figure']
