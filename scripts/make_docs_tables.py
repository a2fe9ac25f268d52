"""Writes the tables of the README and the docs from results/ and conf/table; --check only compares.

A block stands between `<!-- begin NAME ... -->` and `<!-- end NAME -->`; what is between is made here.
"""

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from snnlab.bench.tables import network_table, neuron_table
from snnlab.board.lines import markdown
from snnlab.board.stored_board import read_board
from snnlab.config.search import SearchPath
from snnlab.markdown import markdown_table
from snnlab.runs.result_table import result_table
from snnlab.tables.fill import Filled
from snnlab.tables.grid import paper_grid
from snnlab.tables.render import below, markdown_grid
from snnlab.tables.stored_table import read_filled
from snnlab.tables.table_loader import load_table

PAPERS_OWN = (
    " Rows and columns have the paper's names; in brackets is what it has on its own data and networks: not to be "
    "compared with."
)
ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "results"
SEARCH = SearchPath()
PEERS = ("spikingjelly", "snntorch", "norse")
STEPS = (  # of the README: as it is called there, the neuron and the layout in results/bench.json
    ("ReLU network", "relu", "contiguous"),
    ("snnlab", "snnlab", "contiguous"),
    ("snnlab, channels last", "snnlab", "channels_last"),
    *((name, name, "contiguous") for name in PEERS),
    ("spikingjelly, compiled", "spikingjelly+compile", "contiguous"),
)


def quickstart() -> str:
    """The end of the demo on the terminal."""
    result = json.loads((RESULTS / "quickstart.json").read_text())
    name = f"{result['experiment']}: {result['variant']}, seed {result['seed']}"
    where = f"{result['selection']['last']}, on {result['num_test']} samples of {result['split']}"
    console = Console(width=120, force_terminal=False)
    with console.capture() as capture:
        console.print(result_table(result["last"], title=f"{name}, {where}"))
    return "\n".join(f"    {line.rstrip()}" for line in capture.get().rstrip().splitlines())


def losses() -> str:
    """Three losses on the digits."""
    return "\n".join(markdown_grid(paper_grid(stored("digits_losses"))))


def converged() -> str:
    """The losses where the network knows its training data by heart."""
    return "\n".join(markdown_grid(paper_grid(with_numbers(stored("converged_losses")))))


def measured() -> str:
    """Every stored table at a smaller scale, with its command; first that of the losses at the converged one."""
    parts = []
    smaller = sorted([*RESULTS.glob("*-converged.json"), *RESULTS.glob("*-short.json")])
    for file in [RESULTS / "converged_losses.json", *smaller]:
        name, _, scale = file.stem.partition("-")
        filled = with_numbers(stored(name, file))
        if not filled.cells:
            continue
        lines = markdown_grid(paper_grid(filled))
        notes = [f"- {line}" for line in below(filled) if not line.startswith("not possible")]
        places = (
            f"{run['device']}, {run['threads']} thread, torch {run['torch']}, {run['code']}"
            for run in filled.runs
        )
        where = "; ".join(dict.fromkeys(places))
        instead = f"{filled.data}. " if filled.data else ""
        parts += [
            f"### {name}{', converged' if scale == 'converged' else ''}: {filled.table.title}",
            "",
            f"    snnlab table {name} {f'scale={scale} ' if scale else ''}--run",
            "",
            f"{instead}Measured on {'; '.join(filled.splits)}. Mean +- standard deviation over the seeds "
            f"{', '.join(map(str, filled.seeds))}, after the last epoch ({where})."
            f"{learned(filled)}{PAPERS_OWN if scale else ''}",
            "",
            *lines,
            "",
            *notes,
            "",
        ]
    return "\n".join(parts).rstrip() or "Nothing yet."


def learned(filled: Filled) -> str:
    """How well the runs know their training samples."""
    accuracies = filled.train_accuracies
    return f" Training accuracy: {accuracies[0]:.2f} to {accuracies[-1]:.2f} %." if accuracies else ""


def with_numbers(filled: Filled) -> Filled:
    """The table without rows and columns in which nothing was measured."""
    measured = [cell for cell in filled.cells if cell.values]
    rows = tuple(row for row in filled.table.rows if any(cell.row is row for cell in measured))
    columns = tuple(one for one in filled.table.columns if any(cell.column is one for cell in measured))
    cells = tuple(cell for cell in filled.cells if cell.row in rows and cell.column in columns)
    names = [row.name for row in rows]
    compare = tuple(
        replace(one, against=tuple(name for name in one.against if name in names))
        for one in filled.table.compare
        if one.row in names
    )
    table = replace(filled.table, rows=rows, columns=columns, compare=compare)
    return replace(filled, table=table, cells=cells)


def benchmark() -> str:
    """The tables of `snnlab bench --full`."""
    rows = json.loads((RESULTS / "bench.json").read_text())["rows"]
    tables = [neuron_table([row for row in rows if row["kind"] == "neuron"])]
    for name in ("vgg_snn", "resnet19_snn"):
        tables.append(network_table([row for row in rows if row.get("network") == name]))
    console = Console(width=200, force_terminal=False)
    with console.capture() as capture:
        for table in tables:
            table.caption = None
            console.print(table)
    return "\n".join(line.strip() for line in capture.get().rstrip().splitlines())


def speed() -> str:
    """A training step of both networks on a CPU, from `snnlab bench --full`."""
    bench = json.loads((RESULTS / "bench.json").read_text())
    rows = {(row["network"], row["neuron"], row["layout"]): row for row in bench["rows"] if "network" in row}
    body = []
    for name, neuron, layout in STEPS:
        body.append([name])
        for network in ("vgg_snn", "resnet19_snn"):
            row = rows[network, neuron, layout]
            body[-1] += [f"{row['train']['ms']:,.0f}", f"{row['peak_mb']:,.0f}"]
    packages = ", ".join(f"{name} {bench['packages'][name]}" for name in ("torch", *PEERS))
    head = ["training step, fp32, batch 8", "VGG-SNN, ms", "peak MB", "ResNet-19, ms", "peak MB"]
    where = f"{bench['date']}, {bench['cores']} cores of an {bench['processor']}, {packages}; VGG-SNN has"
    sizes = "48 x 48 pixels and T = 10, ResNet-19 32 x 32 and T = 4."
    return "\n".join([*markdown_table(head, body, words=(0,)), "", where, sizes])


def board() -> str:
    """Every loss with every neuron."""
    return "\n".join(markdown(read_board(RESULTS / "board.json")[0]))


def missing() -> str:
    """The cells that the project cannot fill, by reason."""
    found: dict[str, dict[str, list[str]]] = {}
    for name in SEARCH.options("table"):
        table = load_table(name, SEARCH)
        for row in table.rows:
            reasons = {row.missing: ""} if row.missing else {}
            reasons |= {why: f" ({label})" for label, why in row.missing_columns.items()}
            for why, part in reasons.items():
                found.setdefault(why, {}).setdefault(name, []).append(f"{row.name}{part}")
    body = []
    for why, tables in sorted(found.items(), key=lambda item: sorted(item[1])):
        where = "; ".join(
            f"`{name}`: {len(rows)} row{'s' if len(rows) > 1 else ''}" for name, rows in tables.items()
        )
        body.append([why, where])
    if not body:
        return (
            "No cell: there is code for every row and column of every table. What a table needs is its data."
        )
    return "\n".join(markdown_table(["why", "where"], body, words=(0, 1), padded=False))


def stored(name: str, file: Path | None = None) -> Filled:
    """A table of results/."""
    return read_filled(file or RESULTS / f"{name}.json", load_table(name, SEARCH))


BLOCKS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"quickstart": quickstart, "converged": converged, "losses": losses, "speed": speed},
    "docs/tables.md": {"measured": measured, "missing": missing},
    "docs/board.md": {"board": board},
    "docs/benchmarks.md": {"bench": benchmark},
}


def made(name: str) -> str:
    """A document with its blocks made anew."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for block, make in BLOCKS[name].items():
        pattern = rf"(<!-- begin {block}\b[^\n]*-->\n).*?(\n<!-- end {block} -->)"
        content = make().replace("\\", "\\\\")
        text, count = re.subn(pattern, rf"\1\n{content}\n\2", text, flags=re.DOTALL)
        if count != 1:
            raise SystemExit(f"{name}: the block '{block}' is there {count} times")
    return text


def main() -> int:
    """Writes or compares all documents; 1 if one differs in a comparison."""
    differing = [name for name in BLOCKS if made(name) != (ROOT / name).read_text(encoding="utf-8")]
    if "--check" not in sys.argv:
        for name in differing:
            (ROOT / name).write_text(made(name), encoding="utf-8")
    print(f"{'differ' if '--check' in sys.argv else 'written'}: {', '.join(differing) or 'nothing'}")
    return int("--check" in sys.argv and bool(differing))


if __name__ == "__main__":
    sys.exit(main())
