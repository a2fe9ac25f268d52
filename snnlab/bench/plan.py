"""What the benchmark measures: the list of cases, and running them, each in a process of its own."""

import importlib.util
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from snnlab.versions import package_versions

SHAPES = {"quick": (10, 8, 128, 24, 24), "full": (10, 32, 128, 24, 24), "cuda": (10, 64, 128, 48, 48)}
OTHER_SHAPES = ((4, 32, 256, 16, 16), (10, 2, 64, 12, 12))
PACKAGES = ("spikingjelly", "snntorch", "norse")


def cases(
    neurons: Sequence[str], surrogates: Sequence[str], *, device: str, threads: int, full: bool
) -> list[dict[str, Any]]:
    """Lists the measurements of a benchmark.

    Args:
        neurons: names of neurons to measure.
        surrogates: names of surrogates to measure with the first of them.
        device: cpu or cuda.
        threads: of a CPU.
        full: all surrogates, types, layouts and sizes, the size of the published numbers, compiled rivals, and the
            plain recurrence under torch.compile, `snnlab+compile` (on a GPU the kernels inside a compiled network).
    """
    cuda = device != "cpu"
    common = {"device": device, "threads": threads, "layout": "contiguous", "dtype": "fp32"}
    shape = SHAPES["cuda" if cuda else "full" if full else "quick"]
    one = common | {"kind": "neuron", "shape": shape, "surrogate": "triangle", "repeats": 9}
    rivals = [name for name in PACKAGES if importlib.util.find_spec(name) is not None]
    found = [one | {"neuron": name} for name in ("relu", "snnlab", "snnlab plain", *rivals, *neurons)]
    found += [one | {"neuron": f"{name}+compile"} for name in ("snnlab", *rivals[:1]) if full]
    if full or cuda:
        found += [
            one | {"neuron": neurons[0], "surrogate": name} for name in surrogates if name != "triangle"
        ]
        others: list[dict[str, Any]] = [{"shape": other} for other in OTHER_SHAPES]
        others += [{"layout": "channels_last"}, {"dtype": "bf16"}, *([{"dtype": "fp16"}] if cuda else [])]
        found += [one | other | {"neuron": name} for other in others for name in ("relu", neurons[0])]
    if cuda:
        found += [one | {"neuron": name, "dtype": "bf16"} for name in ("snnlab", *rivals)]
    names = ["relu", "snnlab", "snnlab plain", *rivals[: None if full else 1]]
    names += [f"{name}+compile" for name in ("relu", "snnlab", *rivals[:1]) if full]
    batch = 64 if cuda else 8 if full else 2
    net = common | {"kind": "network", "batch": batch, "repeats": 5 if cuda else 3}
    if cuda:
        net |= {"dtype": "bf16", "layout": "channels_last"}
    for network in ("vgg_snn", "resnet19_snn") if full or cuda else ("vgg_snn",):
        found += [net | {"network": network, "neuron": name} for name in names]
        if full and not cuda:
            found += [net | {"network": network, "neuron": "snnlab", "layout": "channels_last"}]
    return found


def conditions() -> dict[str, Any]:
    """The conditions of a benchmark: date, hardware, system, packages."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "packages": package_versions(*PACKAGES),
    }


def measure(case: dict[str, Any]) -> dict[str, Any]:
    """The result of one case; with `failed`, the last line of what went wrong."""
    command = [sys.executable, "-m", "snnlab.bench.worker", json.dumps(case)]
    # The allocator is the same for all, and compilation stays within the process.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run(
        command, capture_output=True, text=True, env=kept | {"TORCHINDUCTOR_COMPILE_THREADS": "1"}
    )
    if done.returncode:
        return case | {"failed": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result
