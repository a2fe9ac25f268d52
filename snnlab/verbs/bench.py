"""Measure the speed and memory of neurons and networks, against a copy, a ReLU network and installed packages.

A minute or two; --full takes a quarter of an hour, and device=cuda at most eight minutes on a GPU. On a CPU each
measurement has a process of its own, with the allocator of a training run; on a GPU the neurons have one and each
network has one. Nothing else should run beside it.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from snnlab.atomic import write_text
from snnlab.errors import ConfigError
from snnlab.registry import component_files
from snnlab.system import cores
from snnlab.writable import refuse_unwritable_file

EXAMPLES = (
    "snnlab bench",
    "snnlab bench cf dsatgo --json bench.json",
    "snnlab bench my_neuron plugins=[my_lab]",
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
    neurons = list(asked.neurons) or _usual(args.full, asked.plugins)
    if asked.device == "cuda":
        _check_cuda()

    from rich.console import Console

    from snnlab.bench.gpu_plan import groups, measure_group
    from snnlab.bench.plan import cases, conditions, measure
    from snnlab.bench.tables import network_table, neuron_table, step_table

    if args.json is not None:
        refuse_unwritable_file(args.json, "--json names another file")
        args.json.parent.mkdir(parents=True, exist_ok=True)
    threads = args.threads or cores()
    surrogates = list(component_files("surrogate", asked.plugins))
    if asked.device == "cuda":
        todo = groups(neurons, surrogates, full=args.full)
    else:
        todo = [[one] for one in cases(neurons, surrogates, device="cpu", threads=threads, full=args.full)]
    todo = [[case | {"plugins": asked.plugins} for case in group] for group in todo]
    rows: list[dict[str, Any]] = []
    begin = time.monotonic()
    for number, group in enumerate(todo, start=1):
        case, more = group[0], f" and {len(group) - 1} more" if len(group) > 1 else ""
        print(f"{number}/{len(todo)} {_name(case)}, {case['dtype']}, {case['layout']}{more}", file=sys.stderr)
        found = measure_group(group) if asked.device == "cuda" else [measure(case)]
        for row in found:
            if "failed" in row:
                print(f"warning: {_name(row)} failed: {row['failed']}", file=sys.stderr)
        rows += found
        if args.json is not None:
            seconds = round(time.monotonic() - begin)
            write_text(args.json, json.dumps({**conditions(), "seconds": seconds, "rows": rows}, indent=1))
    console = Console(highlight=False, width=150)
    good = [row for row in rows if "failed" not in row]
    if of_neurons := [row for row in good if row["kind"] == "neuron"]:
        console.print(neuron_table(of_neurons))
    for network in dict.fromkeys(row["network"] for row in good if row["kind"] == "network"):
        console.print(network_table([row for row in good if row.get("network") == network]))
    steps = [row for row in good if row["kind"] == "step"]
    for place in dict.fromkeys((row["network"], row["batch"]) for row in steps):
        console.print(step_table([row for row in steps if (row["network"], row["batch"]) == place]))
    return int(len(good) < len(rows))


def _name(case: dict[str, Any]) -> str:
    parts = (case.get("network"), case["neuron"], case.get("mode"))
    size = f", batch {case['batch']}" if "mode" in case else ""
    return " ".join(part for part in parts if part) + size


def _usual(full: bool, plugins: tuple[str, ...]) -> list[str]:
    first = ["lif", "plif", "cf", "dsatgo"]
    others = [name for name in component_files("neuron", plugins) if name not in (*first, "relu")]
    return first + others if full else first


def _check_cuda() -> None:
    import torch

    if not torch.cuda.is_available():
        raise ConfigError("device=cuda: there is no CUDA device here", "snnlab doctor shows what is there")
