"""What the benchmark measures on a GPU, in few processes: neurons, then each network, in at most eight minutes."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from snnlab.bench.plan import cases
from snnlab.registry import component_files

BATCHES = {
    "resnet19_snn": (32, 128),
    "vgg_snn": (16, 64),
    "spikformer": (32, 128),
    "sew_resnet18_snn": (8, 32),
}
"""A small batch, which the host bounds, and a large one, which memory and convolutions bound."""
MODES = ("eager", "graph", "compile", "compile+graph")
SECONDS, GRACE = 80, 15
"""Of each of the five processes: after the first no case begins, after both it is ended."""


def groups(neurons: Sequence[str], surrogates: Sequence[str], *, full: bool) -> list[list[dict[str, Any]]]:
    """The cases of each process: one for all neurons, and one for each network that there is."""
    of_neurons = [
        case
        for case in cases(neurons, surrogates, device="cuda", threads=1, full=full)
        if case["kind"] == "neuron"
    ]
    there = component_files("model")
    return [of_neurons, *(_of_network(name) for name in BATCHES if name in there)]


def _of_network(network: str) -> list[dict[str, Any]]:
    """First what a process always has time for; compiling takes the longest."""
    rivals = ["spikingjelly"] if importlib.util.find_spec("spikingjelly") is not None else []
    # Tokens are matrix products, which have no channels.
    layout = "contiguous" if network == "spikformer" else "channels_last"
    common = {
        "kind": "step",
        "network": network,
        "device": "cuda",
        "threads": 1,
        "dtype": "bf16",
        "repeats": 5,
    }
    return [
        common | {"layout": layout, "batch": batch, "neuron": neuron, "mode": mode}
        for modes in (MODES[:2], MODES[2:])
        for batch in BATCHES[network][:: -1 if modes == MODES[2:] else 1]
        for neuron in ("relu", "snnlab", *rivals)
        for mode in modes
    ]


def measure_group(todo: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The results of cases in one process; those that it did not come to have failed."""
    command = [sys.executable, "-m", "snnlab.bench.group", json.dumps({"seconds": SECONDS, "cases": todo})]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    why = "no time left"
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=kept, timeout=SECONDS + GRACE)
        printed = done.stdout
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["no message"])[-1]
    except subprocess.TimeoutExpired as late:
        out = late.stdout or b""
        printed = out.decode() if isinstance(out, bytes) else out
    rows = [json.loads(line) for line in printed.splitlines() if line.startswith("{") and line.endswith("}")]
    return rows + [case | {"failed": why} for case in todo[len(rows) :]]
