"""The table of a network's layers that a run prints at its start."""

from rich import box
from rich.table import Table
from torch import Tensor, nn

from snnlab.layers.summary import summarise


def summary_table(model: nn.Module, x_TBCHW: Tensor) -> Table:
    """Output shape, parameters and multiply-accumulates (per sample and time step) of every layer."""
    summary = summarise(model, x_TBCHW)
    table = Table(
        title=f"{type(model).__name__}: {summary.parameters:,} parameters, {_count(summary.macs)} MACs "
        "per sample and time step",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("layer", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("output", justify="right", no_wrap=True)
    table.add_column("parameters", justify="right", no_wrap=True)
    table.add_column("MACs", justify="right", no_wrap=True)
    for row in summary.rows:
        shape = " x ".join(map(str, row.output_shape))
        parameters = f"{row.parameters:,}" if row.parameters else ""
        table.add_row(row.name, row.kind, shape, parameters, _count(row.macs) if row.macs else "")
    return table


def _count(value: float) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.2f} {unit}"
    return f"{value:.0f}"
