"""Compare two runs: which settings differ, and by how much the results do."""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

EXAMPLES = (
    "snnlab diff runs/quickstart/A/seed0 runs/quickstart/B/seed0",
    "snnlab diff A B --json",
    "snnlab diff A B --all-metrics",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    parser.add_argument("a", type=Path, metavar="A", help="a run directory")
    parser.add_argument("b", type=Path, metavar="B", help="another one")
    parser.add_argument(
        "--all-metrics", action="store_true", help="also the metrics of each time step and layer"
    )
    parser.add_argument("--json", action="store_true", help="everything, as JSON")


def run(args: argparse.Namespace) -> int:
    """Prints the differences."""
    from snnlab.config.origins import flatten
    from snnlab.metric_names import METRICS
    from snnlab.runs.config_file import read_config
    from snnlab.runs.results import read_result

    configs = [dict(flatten(read_config(one))) for one in (args.a, args.b)]
    results = [read_result(one) or {} for one in (args.a, args.b)]
    config = _differing(*configs)
    data = _differing(*(result.get("data") or {} for result in results))
    metrics = {
        which: _numbers(*(result.get(which) or {} for result in results)) for which in ("last", "best")
    }
    if args.json:
        found = {"a": str(args.a), "b": str(args.b), "config": config, "data": data, "metrics": metrics}
        print(json.dumps(found, indent=2))
        return 0
    print(f"A  {args.a}\nB  {args.b}\n")
    _print_table("config", [(key, _text(one["a"]), _text(one["b"])) for key, one in config.items()])
    _print_table("data", [(key, _text(one["a"]), _text(one["b"])) for key, one in data.items()])
    for which, values in metrics.items():
        shown = {
            key: one
            for key, one in values.items()
            if args.all_metrics or key in {f"test/{name}" for name in METRICS}
        }
        rows = [
            (
                key,
                _text(one["a"]),
                _text(one["b"]),
                "" if one["difference"] is None else f"{one['difference']:+.4g}",
            )
            for key, one in shown.items()
        ]
        _print_table(which, rows)
    return 0


def _differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    absent = "(none)"
    return {
        key: {"a": a.get(key, absent), "b": b.get(key, absent)}
        for key in [*a, *(key for key in b if key not in a)]
        if a.get(key, absent) != b.get(key, absent)
    }


def _numbers(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found = {}
    for key in [*a, *(key for key in b if key not in a)]:
        left, right = a.get(key), b.get(key)
        known = all(isinstance(one, int | float) and math.isfinite(one) for one in (left, right))
        found[key] = {"a": left, "b": right, "difference": right - left if known else None}  # type: ignore[operator]
    return found


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.5g}"
    return "-" if value is None else str(value)


def _print_table(title: str, rows: Sequence[tuple[str, ...]]) -> None:
    none = "no difference" if title in ("config", "data") else "no results"
    print(f"{title}:" if rows else f"{title}: {none}")
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print()
