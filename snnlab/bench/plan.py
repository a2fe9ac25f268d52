"""What the benchmark measures: the list of jobs, and running them, each in a process of its own."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

SHAPES = {"quick": (10, 8, 128, 24, 24), "full": (10, 32, 128, 24, 24), "cuda": (10, 64, 128, 48, 48)}
PACKAGES = ("spikingjelly", "snntorch", "norse")


def jobs(
    neurons: Sequence[str], surrogates: Sequence[str], *, device: str, threads: int, full: bool
) -> list[dict[str, Any]]:
    """The jobs of a run.

    Args:
        neurons: names of neurons to measure.
        surrogates: names of surrogates to measure with the first of them.
        device: cpu or cuda.
        threads: of a CPU.
        full: all surrogates, types and layouts, the size of the published numbers, compiled rivals.
    """
    cuda = device != "cpu"
    common = {"device": device, "threads": threads, "layout": "contiguous", "dtype": "fp32"}
    shape = SHAPES["cuda" if cuda else "full" if full else "quick"]
    one = common | {"kind": "neuron", "shape": shape, "surrogate": "triangle", "repeats": 9}
    rivals = [name for name in PACKAGES if importlib.util.find_spec(name) is not None]
    found = [one | {"neuron": name} for name in ("relu", "snnlab", "snnlab plain", *rivals, *neurons)]
    if full or cuda:
        found += [one | {"neuron": neurons[0], "surrogate": name} for name in surrogates]
        found += [one | {"neuron": neurons[0], "dtype": "bf16"}]
        found += [one | {"neuron": neurons[0], "layout": "channels_last"}]
    if cuda:
        found += [one | {"neuron": name, "dtype": "bf16"} for name in ("relu", "snnlab", *rivals)]
    names = ["relu", "snnlab", "snnlab plain", *rivals[: None if full else 1]]
    names += [f"{name}+compile" for name in ("relu", *rivals[:1]) if full]
    batch = 64 if cuda else 8 if full else 2
    net = common | {"kind": "network", "batch": batch, "repeats": 5 if full or cuda else 3}
    if cuda:
        net |= {"dtype": "bf16", "layout": "channels_last"}
    for network in ("vgg_snn", "resnet19_snn") if full or cuda else ("vgg_snn",):
        found += [net | {"network": network, "neuron": name} for name in names]
        if full and not cuda:
            found += [net | {"network": network, "neuron": "snnlab", "layout": "channels_last"}]
    return found


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """The result of one job; with `failed`, the last line of what went wrong."""
    command = [sys.executable, "-m", "snnlab.bench.worker", json.dumps(job)]
    # The allocator is the same for all, and compilation stays within the process.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run(
        command, capture_output=True, text=True, env=kept | {"TORCHINDUCTOR_COMPILE_THREADS": "1"}
    )
    if done.returncode:
        return job | {"failed": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result
