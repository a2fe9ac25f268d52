"""Reads the values per time step out of flat metrics."""

import math
import re
from collections.abc import Mapping


def value_per_step(metrics: Mapping[str, float | None], name: str) -> dict[int, float]:
    """`{"test/ece_cum/t2": 0.1}` and "test/ece_cum" give `{2: 0.1}`; in order, missing numbers left out."""
    pattern = re.compile(rf"{re.escape(name)}/t(\d+)")
    found = {int(match[1]): value for key, value in metrics.items() if (match := pattern.fullmatch(key))}
    return {
        step: value for step, value in sorted(found.items()) if value is not None and math.isfinite(value)
    }
