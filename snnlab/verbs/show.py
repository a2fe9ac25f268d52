"""Print a composed config, with the file or override that each value comes from.

The output is YAML. A config that would not run is refused, as by `snnlab check`.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from snnlab.verbs._arguments import add_overrides, overrides_of_run, say_quickstart

EXAMPLES = (
    "snnlab show",
    "snnlab show +experiment=tmc_dvscifar neuron=plif",
    "snnlab show +experiment=quickstart --json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    add_overrides(parser)
    parser.add_argument("--plain", action="store_true", help="the values only")
    parser.add_argument("--json", action="store_true", help="config, origins and run directory as JSON")


def run(args: argparse.Namespace) -> int:
    """Prints the config."""
    from snnlab.config.compose import compose
    from snnlab.runs.data_check import with_data
    from snnlab.runs.identity import run_dir
    from snnlab.runs.load import checked

    composed = compose(overrides_of_run(args), args.config_dir)
    cfg = checked(composed)
    origins = {path: origin.text for path, origin in composed.origins.items()}
    if args.json:
        from snnlab.config.origins import flatten

        known = {path: origins.get(path, "default") for path, _ in flatten(cfg.raw)}
        found = {
            "config": cfg.raw,
            "origins": known,
            "run_dir": str(run_dir(with_data(cfg))),
            "notes": list(cfg.notes),
        }
        print(json.dumps(found, indent=2))
        return 0
    lines = list(_lines(cfg.raw, "", 0))
    width = min(max(len(line) for line, _ in lines), 60)
    for line, path in lines:
        origin = "" if args.plain or path is None else f"  # {origins.get(path, _implied(path))}"
        print(f"{line:{width}}{origin}".rstrip())
    if not args.plain:
        print(f"\n# run directory: {run_dir(with_data(cfg))}")
    say_quickstart(args)
    for note in cfg.notes:
        print(f"note: {note}", file=sys.stderr)
    return 0


def _implied(path: str) -> str:
    return "chosen by +experiment" if path == "experiment" else "default"


def _lines(values: Mapping[str, Any], prefix: str, depth: int) -> list[tuple[str, str | None]]:
    lines: list[tuple[str, str | None]] = []
    for key, value in values.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            lines.append((f"{'  ' * depth}{key}:", None))
            lines.extend(_lines(value, f"{path}.", depth + 1))
        else:
            lines.append((f"{'  ' * depth}{key}: {_scalar(value)}", path))
    return lines


def _scalar(value: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(value, default_flow_style=True, width=10_000)
    return text.removesuffix("...\n").strip()
