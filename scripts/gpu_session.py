"""All that needs a GPU, in one call of at most 12 minutes: the tests that need one, and the benchmark.

    python scripts/gpu_session.py                  # writes into the folder gpu-session; the same line goes on with it
    python scripts/gpu_session.py DIR --minutes 9
    python scripts/gpu_session.py DIR --dry        # without a GPU: looks for the tests, measures one step on the CPU

First a spread-out part of the tests of kernels and of recorded steps against steps without (20 steps, bit for bit),
then what `snnlab bench device=cuda` measures, then all other tests. What is done is kept as a file for each part, and
not done again: `session.json` has them all with card, versions and commit, `bench.json` the rows of the benchmark, as
`snnlab bench --json` writes them. The exit code is 0 if all is done and well, 1 if something failed, 75 if there was
too little time: then the same line goes on. Run it from the root of the repository, with the extra `dev` installed.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snnlab.atomic import write_json
from snnlab.bench.gpu_plan import GRACE, SECONDS, groups, measure_group
from snnlab.bench.plan import conditions
from snnlab.machine.environment import code_version
from snnlab.registry import component_files

RECORDED = ("tests/train/test_graphs_on_gpu.py", "tests/graphs/test_stream_on_gpu.py")
OTHERS = (
    "tests/kernels",
    "tests/layers/test_packing.py",
    "tests/metrics/test_calibration_over_time.py",
    "tests/augments/test_ops.py",
)
CHUNK, FIRST = 50, 2
"""Tests of a part, which are spread over the list; how many parts of either list come before the benchmark."""
PROCESSES = 4
"""Of the tests, which wait for the host and for compilers more than for the GPU."""
LEAST, MOST = 40.0, 200.0
"""Seconds of a part of the tests: with less it does not begin, after the other it is ended."""
UNFINISHED = 75


@dataclass(frozen=True)
class Part:
    """Something to do; it does not begin with fewer than `least` seconds, and `do` is told how many it has."""

    name: str
    least: float
    do: Callable[[float], dict[str, Any]]


def run(parts: Sequence[Part], folder: Path, minutes: float) -> int:
    """Does what is not done yet while there is time; returns the exit code."""
    end, left = time.monotonic() + 60 * minutes, 0
    for number, part in enumerate(parts, start=1):
        file = folder / "parts" / f"{part.name}.json"
        if file.exists():
            continue
        seconds = end - time.monotonic()
        if seconds < part.least:
            left += 1
            continue
        print(f"{number}/{len(parts)} {part.name}", file=sys.stderr, flush=True)
        begin = time.monotonic()
        found = part.do(seconds)
        if found.get("ended"):  # by the clock: it is tried again
            left += 1
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, {**found, "seconds": round(time.monotonic() - begin, 1)})
    done = {one.stem: json.loads(one.read_text()) for one in sorted((folder / "parts").glob("*.json"))}
    write_json(folder / "session.json", {**machine(), "left": left, "parts": done})
    rows = [row for one in done.values() for row in one.get("rows", ())]
    write_json(folder / "bench.json", {**conditions(), "rows": rows})
    bad = [name for name, one in done.items() if one["failed"]]
    for name in bad:
        print(f"failed: {name}: {done[name]['failed']}")
    print(
        f"{len(done)} of {len(parts)} parts are done, {len(bad)} of them with failures; {folder / 'session.json'}"
    )
    if left:
        print("the same line goes on with the others")
    return UNFINISHED if left else int(bool(bad))


def machine() -> dict[str, Any]:
    """Card, versions and commit."""
    import torch

    card = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {**conditions(), "card": card, "cuda": torch.version.cuda, "code": code_version()}


def all_parts(folder: Path, *, dry: bool) -> list[Part]:
    """The parts of a session, the most wanted ones first."""
    recorded, others = (
        [*tests_of(kind, paths, folder, dry)] for kind, paths in (("recorded", RECORDED), ("kernels", OTHERS))
    )
    bench = [*bench_parts(dry)]
    return [*others[:FIRST], *recorded[:FIRST], *bench, *others[FIRST:], *recorded[FIRST:]]


def tests_of(kind: str, paths: Sequence[str], folder: Path, dry: bool) -> Iterator[Part]:
    """The tests in some files that need a GPU, in parts that each have some of every sort."""
    names = collected(paths)
    assert names, paths
    count = 1 if dry else -(-len(names) // CHUNK)
    for number in range(count):
        yield Part(f"{kind}-{number + 1}-of-{count}", LEAST, tests(names[number::count], folder, kind, dry))


def collected(paths: Sequence[str]) -> list[str]:
    """The names of the tests in some files that need a GPU."""
    done = pytest("--collect-only", *paths)
    names = [line for line in done.stdout.splitlines() if "::" in line]
    if done.returncode or not names:
        raise SystemExit(f"the tests cannot be collected:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return names


def tests(names: list[str], folder: Path, kind: str, dry: bool) -> Callable[[float], dict[str, Any]]:
    """Runs tests by name; `failed` are those that failed."""

    def do(seconds: float) -> dict[str, Any]:
        folder.mkdir(parents=True, exist_ok=True)
        asked = folder / "asked.txt"
        asked.write_text("\n".join(names))
        several = ["-n", str(PROCESSES)] if importlib.util.find_spec("xdist") else []
        how = ["--collect-only"] if dry else ["-rfE", *several]
        try:
            done = pytest(*how, f"@{asked}", timeout=min(seconds, MOST))
        except subprocess.TimeoutExpired:
            return {"ended": True}
        with (folder / f"{kind}.log").open("a") as log:
            log.write(done.stdout + done.stderr)
        lines = done.stdout.splitlines()
        failed = [line for line in lines if line.startswith(("FAILED ", "ERROR "))]
        if done.returncode and not failed:
            failed = [f"pytest ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-300:]}"]
        return {"tests": len(names), "failed": failed, "said": lines[-1:]}

    return do


def pytest(*arguments: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
    """Runs pytest on tests that need a GPU."""
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout)


def bench_parts(dry: bool) -> Iterator[Part]:
    """What each process of the benchmark measures."""
    for cases in groups(["lif", "plif", "cf", "dsatgo"], list(component_files("surrogate")), full=False):
        name = f"bench-{cases[0].get('network', 'neurons')}"
        if dry:
            if name != "bench-vgg_snn":
                continue
            cases = [one | {"device": "cpu", "batch": 1, "shape": (1, 2, 48, 10)} for one in cases[:1]]
        yield Part(name, float(SECONDS + GRACE), bench(cases))


def bench(cases: list[dict[str, Any]]) -> Callable[[float], dict[str, Any]]:
    """Measures cases; `failed` are those that have no result, but for those without time."""

    def do(seconds: float) -> dict[str, Any]:
        rows = measure_group(cases)
        failed = [
            f"{one['neuron']} {one.get('mode', '')}: {one['failed']}" for one in rows if "failed" in one
        ]
        return {"rows": rows, "failed": failed}

    return do


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=Path("gpu-session"))
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--dry", action="store_true", help="on a CPU: nothing that needs a GPU is run")
    asked = parser.parse_args(arguments)
    if not asked.dry:
        import torch

        if not torch.cuda.is_available():
            parser.error("there is no CUDA device here; --dry tries the script without one")
    folder = asked.folder / "dry" if asked.dry else asked.folder
    return run(all_parts(folder, dry=asked.dry), folder, asked.minutes)


if __name__ == "__main__":
    sys.exit(main())
