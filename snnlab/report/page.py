"""Writes self-contained HTML pages: a filled table, or what runs measured. No network, no script needed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

    from snnlab.report.render import Grid


def environment() -> "Environment":
    """Jinja with our templates; text is escaped, and a name that does not exist is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = Path(__file__).parent / "templates"
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def table_page(name: str, grid: "Grid", above: Sequence[str], below: Sequence[str]) -> str:
    """A filled table as a page."""
    values: dict[str, Any] = {"title": name, "grid": grid, "above": above, "below": below}
    return environment().get_template("table.html.j2").render(values)
