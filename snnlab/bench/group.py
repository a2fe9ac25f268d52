"""Several measurements in one process: `python -m snnlab.bench.group '{"seconds": 80, "cases": [...]}'`, a line each.

On a GPU the start of a process and its first kernels take longer than most measurements.
"""

import gc
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import torch

from snnlab.bench import step, worker
from snnlab.kernels import backend, ran


def measured(cases: list[dict[str, Any]], seconds: float) -> Iterator[dict[str, Any]]:
    """The result of each case; `failed` says what went wrong, or that there was no time left for it."""
    begin = time.monotonic()
    for case in cases:
        if time.monotonic() - begin > seconds:
            yield case | {"failed": "no time left"}
            continue
        try:
            yield case | _result(case)
        except Exception as error:
            first = (str(error).strip().splitlines() or ["no message"])[0]
            yield case | {"failed": f"{type(error).__name__}: {first}"}
        # Graphs and compiled code hold memory that the next contender's measurement must not see.
        torch.compiler.reset()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _result(case: dict[str, Any]) -> dict[str, Any]:
    if case["kind"] != "step":
        return worker.main(case)
    torch.manual_seed(0)
    said: list[str] = []
    with backend("auto", said.append):
        found = step.measure_step(case)
        return found | {"backend": ran(), "warnings": said}


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    for row in measured(given["cases"], given["seconds"]):
        sys.stdout.write("\n" + json.dumps(row) + "\n")
        sys.stdout.flush()
