"""A picture that a run has stored, inside a page: as SVG with its values on hover, where there is one, or as PNG."""

import base64
from dataclasses import dataclass
from pathlib import Path

from snnlab.plots.inline_svg import plain_svg

DOTS_PER_INCH = 150
"""Of the PNG files that plots write."""
CSS_PIXELS_PER_INCH = 96
NEARLY_SECONDS = 60
"""A picture's files are written one after the other, SVG first."""


@dataclass(frozen=True)
class StoredPicture:
    """A picture of a plot or an analysis.

    Args:
        file: the PNG file; an SVG file beside it that is as new is taken instead.
    """

    file: Path

    @property
    def name(self) -> str:
        """What it is called on the page."""
        return self.file.stem.replace("_", " ")

    @property
    def svg(self) -> str:
        """The picture as SVG text for a page; empty if there is none, or an older one."""
        beside = self.file.with_suffix(".svg")
        if not beside.exists() or beside.stat().st_mtime < self.file.stat().st_mtime - NEARLY_SECONDS:
            return ""
        return plain_svg(beside.read_text(encoding="utf-8"), self.name, self.file.stem)

    @property
    def uri(self) -> str:
        """The PNG file as text that a page can hold."""
        return f"data:image/png;base64,{base64.b64encode(self.file.read_bytes()).decode()}"

    @property
    def width(self) -> int:
        """Its width on paper in CSS pixels; 0 if the file does not say its size."""
        head = self.file.read_bytes()[:24]
        if head[:8] != b"\x89PNG\r\n\x1a\n" or head[12:16] != b"IHDR":
            return 0
        return round(int.from_bytes(head[16:20]) * CSS_PIXELS_PER_INCH / DOTS_PER_INCH)
