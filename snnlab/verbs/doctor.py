"""Report the environment: versions, devices, data sets that are there, W&B key (set or not, never shown)."""

import argparse
import json
import os
import platform
import sys
from importlib.util import find_spec
from pathlib import Path

import snnlab
from snnlab.packages import EXTRAS
from snnlab.system import cores
from snnlab.versions import package_versions

EXAMPLES = ("snnlab doctor", "snnlab doctor --json", "SNNLAB_DATA=/data snnlab doctor")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    """Prints the report; exit code 1 if a package that snnlab needs is missing."""
    versions = package_versions()
    report: dict[str, object] = {
        "snnlab": f"{snnlab.__version__} in {Path(snnlab.__file__).parent}",
        "python": f"{platform.python_version()} ({sys.executable})",
        "platform": platform.platform(),
        "cores": cores(),
        **{name: version or "missing" for name, version in versions.items()},
        **_devices(),
        **_launchers(),
        **_data(),
        "wandb key": "set" if _wandb_key() else "not set: W&B stays offline",
    }
    if args.json:
        print(json.dumps(report, indent=2, default=str))
    else:
        width = max(map(len, report))
        for name, value in report.items():
            print(f"{name:{width}}  {value}")
    optional = {*EXTRAS, *(() if sys.platform == "linux" else ("triton",))}
    return int(any(version is None for name, version in versions.items() if name not in optional))


def _devices() -> dict[str, object]:
    try:
        import torch
    except ImportError as error:
        return {"cuda": f"unknown: {error}"}
    if not torch.cuda.is_available():
        return {"cuda": f"no device (torch is built for {torch.version.cuda or 'the CPU only'})"}
    found: dict[str, object] = {"cuda": torch.version.cuda}
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        found[f"cuda:{index}"] = f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    return found


def _launchers() -> dict[str, object]:
    """What can start the jobs of a sweep and make its points."""
    from snnlab.config.hydra_errors import PLUGINS

    found: dict[str, object] = {}
    for group, own in (("hydra/launcher", ("process", "basic", "ray")), ("hydra/sweeper", ("basic",))):
        there = {name: name != "ray" or find_spec("ray") is not None for name in own}
        there |= {name: plugin.is_installed for (kind, name), plugin in PLUGINS.items() if kind == group}
        found[group] = ", ".join(name if there[name] else f"{name} (not installed)" for name in there)
    return found


def _data() -> dict[str, object]:
    from snnlab.errors import SnnlabError
    from snnlab.registry import component_files
    from snnlab.registry import load as load_component
    from snnlab.runs.load import load

    cfg = load()
    found: dict[str, object] = {
        "SNNLAB_DATA": os.environ.get("SNNLAB_DATA", "not set"),
        "data root": cfg.paths.data,
    }
    for name in component_files("dataset"):
        try:
            status = load_component("dataset", name)(root=cfg.paths.data, num_steps=cfg.num_steps).status()
        except (SnnlabError, OSError) as error:
            found[f"  {name}"] = f"unknown: {error}"
        else:
            found[f"  {name}"] = "there" if status.present else "not there"
    return found


def _wandb_key() -> bool:
    try:
        import wandb
    except ImportError:
        return False
    from snnlab.dashboards.wandb_log import has_key

    return has_key(wandb)
