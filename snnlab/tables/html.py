"""A filled table as an HTML page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snnlab.report.environment import environment
from snnlab.tables.grid import Grid


def table_page(name: str, grid: Grid, above: Sequence[str], below: Sequence[str]) -> str:
    """The page, with lines of text above and below the table."""
    values: dict[str, Any] = {"title": name, "grid": grid, "above": above, "below": below}
    return environment(Path(__file__).parent / "templates").get_template("table.html.j2").render(values)
