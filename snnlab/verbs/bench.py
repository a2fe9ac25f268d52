"""Measure the speed and memory of neurons and networks, against a copy, a ReLU network and installed packages.

A minute or two; --full takes a quarter of an hour, and device=cuda a few minutes on a GPU. Each measurement has a
process of its own, with the allocator of a training run. Nothing else should run beside it.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from snnlab.atomic import write_text
from snnlab.errors import ConfigError
from snnlab.registry import component_files
from snnlab.system import cores
from snnlab.writable import refuse_unwritable_file

EXAMPLES = (
    "snnlab bench",
    "snnlab bench cf dsatgo --json bench.json",
    "snnlab bench --full --json bench.json",
    "snnlab bench device=cuda --json gpu.json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    from snnlab.bench.arguments import BenchArguments
    from snnlab.config.arguments import help_of

    parser.description = f"{__doc__}\nkeys:\n{help_of(BenchArguments)}"
    parser.add_argument(
        "what",
        nargs="*",
        metavar="neuron",
        help="neurons to measure (lif, plif, cf and dsatgo; all with --full), and device=cpu|cuda",
    )
    parser.add_argument(
        "--full", action="store_true", help="all neurons, surrogates, types, layouts, sizes; compiled rivals"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all numbers to a file")
    parser.add_argument("--threads", type=int, help="of the CPU; all cores by default")


def run(args: argparse.Namespace) -> int:
    """Measures all cases and prints tables; exit code 1 if one failed."""
    from snnlab.bench.arguments import read_bench_arguments

    asked = read_bench_arguments(args.what)
    neurons = list(asked.neurons) or _usual(args.full)
    if asked.device == "cuda":
        _check_cuda()

    from rich.console import Console

    from snnlab.bench.plan import cases, conditions, measure
    from snnlab.bench.tables import network_table, neuron_table

    if args.json is not None:
        refuse_unwritable_file(args.json, "--json names another file")
        args.json.parent.mkdir(parents=True, exist_ok=True)
    threads = args.threads or cores()
    surrogates = list(component_files("surrogate"))
    todo = cases(neurons, surrogates, device=asked.device, threads=threads, full=args.full)
    rows, begin = [], time.monotonic()
    for number, case in enumerate(todo, start=1):
        name = f"{case.get('network', '')} {case['neuron']}".strip()
        print(f"{number}/{len(todo)} {name}, {case['dtype']}, {case['layout']}", file=sys.stderr)
        rows.append(measure(case))
        if "failed" in rows[-1]:
            print(f"warning: {name} failed: {rows[-1]['failed']}", file=sys.stderr)
        if args.json is not None:
            seconds = round(time.monotonic() - begin)
            write_text(args.json, json.dumps({**conditions(), "seconds": seconds, "rows": rows}, indent=1))
    console = Console(highlight=False, width=150)
    good = [row for row in rows if "failed" not in row]
    if of_neurons := [row for row in good if row["kind"] == "neuron"]:
        console.print(neuron_table(of_neurons))
    for network in dict.fromkeys(row["network"] for row in good if row["kind"] == "network"):
        console.print(network_table([row for row in good if row.get("network") == network]))
    return int(len(good) < len(rows))


def _usual(full: bool) -> list[str]:
    first = ["lif", "plif", "cf", "dsatgo"]
    others = [name for name in component_files("neuron") if name not in (*first, "relu")]
    return first + others if full else first


def _check_cuda() -> None:
    import torch

    if not torch.cuda.is_available():
        raise ConfigError("device=cuda: there is no CUDA device here", "snnlab doctor shows what is there")
