"""Pictures as SVG text inside an HTML page: in the colours of its style sheet, light and dark, with tooltips.

matplotlib writes fixed colours. Those of our palette become variables of CSS, which the page sets for both schemes.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from snnlab.plots.figure import BLUE, GREEN, GRID, INK, MUTED, PURPLE, SKY, VERMILLION, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, "#B8860B", SKY, "#6A3D9A", "#7F7F7F")
"""Of the lines of a chart, by number: `--a` to `--h` in the style sheet."""
VARIABLES = {
    **{colour.lower(): f"var(--{letter})" for colour, letter in zip(COLOURS, "abcdefgh", strict=True)},
    INK.lower(): "var(--ink)",
    MUTED.lower(): "var(--muted)",
    GRID.lower(): "var(--line)",
}
# Text stays text, in the page's font; identifiers do not depend on the clock. The page shows a picture at its own size
# or larger, so that a point is a pixel at least.
SVG_STYLE: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "snnlab", "font.size": 11}
NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


@dataclass
class InlinePicture:
    """A figure that becomes SVG text.

    Attributes:
        figure: to draw on.
        label: what the picture shows, for readers who do not see it.
        svg: the text; empty before the end of `inline_picture`.
    """

    figure: "Figure"
    label: str
    svg: str = ""
    _tips: list[str] = field(default_factory=list)

    def tip(self, text: str) -> str:
        """The URL that gives an artist a tooltip, for `set_url` and `set_urls`."""
        self._tips.append(text)
        return f"tip:{len(self._tips) - 1}"

    def finish(self) -> None:
        """Writes the figure into `svg`."""
        file = io.StringIO()
        self.figure.savefig(file, format="svg", transparent=True, metadata=NO_METADATA)
        text = _bare(file.getvalue(), self.label)
        text = re.sub(r"font-family: [^;]*; ", "", text)
        text = re.sub(r'<g id="[^"]*"', "<g", text)
        text = re.sub(r'<a xlink:href="tip:(\d+)"[^>]*>', self._titled, text).replace("</a>", "</g>")
        text = re.sub(r"#[0-9a-f]{6}\b", lambda match: VARIABLES.get(match[0], match[0]), text)
        self.svg = re.sub(r"\s*\n\s*", "\n", text)

    def _titled(self, match: re.Match[str]) -> str:
        return f"<g><title>{escape(self._tips[int(match[1])])}</title>"


def plain_svg(text: str, label: str, prefix: str) -> str:
    """A file that a plot has written, as a part of a page.

    Args:
        text: of the file.
        label: what the picture shows, for readers who do not see it.
        prefix: before its identifiers, which have to differ from those of the page's other pictures.
    """
    text = re.sub(r'<g id="[^"]*"', "<g", _bare(text, label))
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    return re.sub(r'(href="|url\()#', rf"\g<1>#{prefix}-", text)


def _bare(text: str, label: str) -> str:
    """The `svg` element without what only a file of its own needs."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    box = re.search(r'viewBox="[^"]*"', text)
    assert box is not None
    return re.sub(r"^<svg[^>]*>", f'<svg {box[0]} role="img" aria-label="{escape(label)}">', text)


@contextmanager
def inline_picture(width: float, height: float, label: str) -> Iterator[InlinePicture]:
    """Yields a picture of a size in points, a unit of the text's view box; its `svg` is there after the block."""
    import matplotlib

    with styled(width / 72, height / 72) as figure, matplotlib.rc_context(SVG_STYLE):
        picture = InlinePicture(figure, label)
        yield picture
        picture.finish()
