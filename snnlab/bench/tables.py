"""The results of a benchmark as two tables: neurons, and networks."""

from typing import Any

from rich import box
from rich.table import Table


def neuron_table(rows: list[dict[str, Any]]) -> Table:
    """One row for each neuron that was measured."""
    table = Table(
        title=f"neurons on {_what(rows)}, x is {list(rows[0]['shape'])}",
        title_justify="left",
        box=box.MARKDOWN,
    )
    for name in (
        "neuron",
        "type",
        "forward ms",
        "fwd+bwd ms",
        "least",
        "spread",
        "of relu",
        "forward",
        "backward",
    ):
        table.add_column(name, justify="left" if name == "neuron" else "right", no_wrap=True)
    table.add_column("kept B", justify="right", no_wrap=True)
    table.add_column("back end", no_wrap=True)
    for row in rows:
        floor = next((r for r in rows if r["neuron"] == "relu" and _alike(r, row)), None)
        table.add_row(
            _name(row) + ("" if row["shape"] == rows[0]["shape"] else f", {row['shape']}"),
            row["dtype"],
            f"{row['infer']['ms']:.1f}",
            f"{row['train']['ms']:.1f}",
            f"{row['train']['least_ms']:.1f}",
            f"{row['train']['spread_percent']:.0f} %",
            "" if floor is None else f"{row['train']['ms'] / floor['train']['ms']:.2f}",
            f"{100 * row['forward_of_copy']:.0f} %",
            f"{100 * row['backward_of_copy']:.0f} %",
            f"{row['kept_bytes_per_neuron_step']:.1f}",
            "" if row["backend"] == "none" else row["backend"].removesuffix(" 100 %"),
        )
    table.caption = (
        "forward, backward: share of the bandwidth of a copy, counting the bytes that must be moved"
    )
    return table


def network_table(rows: list[dict[str, Any]]) -> Table:
    """One row for each network that was measured."""
    table = Table(
        title=f"{rows[0]['network']} on {_what(rows)}, batch {rows[0]['batch']}",
        title_justify="left",
        box=box.MARKDOWN,
    )
    for name in ("neuron", "type", "train ms", "spread", "of relu", "samples/s", "infer ms", "of relu"):
        table.add_column(name, justify="left" if name == "neuron" else "right", no_wrap=True)
    for name in ("peak MB", "kept MB"):
        table.add_column(name, justify="right", no_wrap=True)
    floor = next((row for row in rows if row["neuron"] == "relu"), None)
    for row in rows:
        train, infer = row["train"]["ms"], row["infer"]["ms"]
        table.add_row(
            _name(row),
            row["dtype"],
            f"{train:.0f}",
            f"{row['train']['spread_percent']:.0f} %",
            "" if floor is None else f"{train / floor['train']['ms']:.2f}",
            f"{row['samples_per_second']:.1f}",
            f"{infer:.0f}",
            "" if floor is None else f"{infer / floor['infer']['ms']:.2f}",
            f"{row['peak_mb']:.0f}",
            f"{row['kept_mb']:.0f}",
        )
    return table


def step_table(rows: list[dict[str, Any]]) -> Table:
    """One row for each contender and mode of a network at one batch size; `of relu` is within the same mode."""
    first = rows[0]
    title = f"step of {first['network']} on {_what(rows)}, {first['dtype']}, batch {first['batch']}"
    table = Table(title=title, title_justify="left", box=box.MARKDOWN)
    for name in ("neuron", "mode", "ms", "least", "spread", "of relu", "samples/s", "step MB"):
        table.add_column(name, justify="left" if name in ("neuron", "mode") else "right", no_wrap=True)
    floors = {row["mode"]: row["train"]["ms"] for row in rows if row["neuron"] == "relu"}
    for row in rows:
        time, floor = row["train"], floors.get(row["mode"])
        table.add_row(
            _name(row),
            row["mode"],
            f"{time['ms']:.2f}",
            f"{time['least_ms']:.2f}",
            f"{time['spread_percent']:.0f} %",
            "" if floor is None else f"{time['ms'] / floor:.2f}",
            f"{row['samples_per_second']:.0f}",
            "" if row["step_mb"] is None else f"{row['step_mb']:.0f}",
        )
    return table


def _alike(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return all(a[key] == b[key] for key in ("dtype", "layout", "shape"))


def _name(row: dict[str, Any]) -> str:
    name: str = row["neuron"]
    if row.get("surrogate", "triangle") != "triangle":
        name += f", {row['surrogate']}"
    return name + (", channels last" if row["layout"] == "channels_last" else "")


def _what(rows: list[dict[str, Any]]) -> str:
    device, threads = rows[0]["device"], rows[0]["threads"]
    return f"{device}, {threads} thread{'s' * (threads > 1)}" if device == "cpu" else device
