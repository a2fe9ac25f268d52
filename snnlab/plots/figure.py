"""The common style of all pictures: fonts, colours that colour-blind readers can tell apart, file output.

Figures are made with matplotlib's objects, never with pyplot: no global state is left, no display needed.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from html import escape
from io import StringIO
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from snnlab.atomic import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette.
BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#E69F00",
    "#CC79A7",
    "#56B4E9",
)
LETTERS_PER_INCH = 9
TIP = "tip:"
MICRO = "\N{MICRO SIGN}"
_ALSO: ContextVar[tuple[str, ...]] = ContextVar("snnlab_picture_formats", default=())
INK, MUTED, GRID = "#222222", "#6B6B6B", "#E3E3E3"

STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    # Numbers are written out: not `2e-5` beside an axis that says +6.93e-1.
    "axes.formatter.useoffset": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "lines.linewidth": 2.0,
    "lines.markersize": 5.0,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": "white",
    "figure.titlesize": 12,
    "figure.titleweight": "bold",
    "savefig.dpi": 150,
}


FORMS = ("png", "svg", "pdf")
"""The forms that a picture may have."""


def also_as(formats: Iterable[str]) -> None:
    """Writes pictures in these formats, too, from here on: `pdf`, `svg`, `png`."""
    _ALSO.set(tuple(formats))


def files_of(picture: Path) -> str:
    """The files that a picture was just written to, in words: `rates.png, .svg and .csv`."""
    endings = [f".{form}" for form in FORMS if form in _ALSO.get() and picture.suffix != f".{form}"]
    if picture.with_suffix(".csv").is_file():
        endings.append(".csv")
    *before, last = [str(picture), *endings]
    return f"{', '.join(before)} and {last}" if before else last


@contextmanager
def drawing(path: Path, width: float, height: float, title: str = "") -> "Iterator[Figure]":
    """Yields an empty figure of a size in inches; writes it to `path` unless the block raises, and in `also_as`."""
    with styled(width, height, title) as figure:
        yield figure
        path.parent.mkdir(parents=True, exist_ok=True)
        # SVG first: the others lose the tips, which PDF would make links.
        wanted = {path.suffix.removeprefix("."), *_ALSO.get()}
        for form in [one for one in ("svg", "pdf", "png") if one in wanted]:
            with replacing(path.with_suffix(f".{form}")) as temporary:
                _save(figure, temporary, form)


@contextmanager
def styled(width: float, height: float, title: str = "") -> "Iterator[Figure]":
    """Yields an empty figure of a size in inches; our style is active within the block."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # A person's own matplotlibrc must not change the pictures; the choice of a backend is theirs.
    defaults = {key: value for key, value in matplotlib.rcParamsDefault.items() if "backend" not in key}
    with matplotlib.rc_context({**defaults, **STYLE}):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        if title:
            # A number stays with its word: `seed 0`.
            joined = re.sub(r"(?<=\w) (?=\d)", "\N{NO-BREAK SPACE}", title)
            figure.suptitle(fill(joined, round(LETTERS_PER_INCH * width)))
        yield figure


def tip(text: str) -> str:
    """The URL that gives an artist a tooltip in SVG files."""
    return f"{TIP}{quote(text)}"


def _save(figure: "Figure", path: Path, form: str) -> None:
    from matplotlib.collections import Collection

    if form != "svg":
        for artist in figure.findobj():
            if (artist.get_url() or "").startswith(TIP):
                artist.set_url(None)
            if isinstance(artist, Collection):
                artist.set_urls([None])
        figure.savefig(path, format=form)
        return
    buffer = StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = re.sub(
        rf'<a xlink:href="{TIP}([^"]*)"[^>]*>',
        lambda match: f"<g><title>{escape(unquote(match[1]))}</title>",
        buffer.getvalue(),
    )
    path.write_text(text.replace("</a>", "</g>"), encoding="utf-8")


def write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes the numbers of a picture; None is an empty cell."""
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def legend_columns(labels: Sequence[str], width: float) -> int:
    """How many columns of these labels fit below a figure of a width in inches."""
    # A handle and the room beside it take as much as seven letters.
    longest = max(map(len, labels), default=0) + 7
    return max(1, min(len(labels), int(1.2 * LETTERS_PER_INCH * width / longest)))


def whole_numbers(axes: "Axes", first: float, last: float) -> None:
    """Ticks at whole numbers only on the horizontal axis, and half a step of room at both ends."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins="auto", integer=True, min_n_ticks=1))
    axes.set_xlim(first - 0.5, last + 0.5)
