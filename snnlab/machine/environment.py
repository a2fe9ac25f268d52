"""The environment of a run, as stored in `env.json`: code version, packages, hardware, command."""

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

import snnlab
from snnlab.machine.allocator import allocator_state
from snnlab.versions import package_versions


def environment(device: torch.device, plugins: tuple[str, ...], processes: int = 1) -> dict[str, Any]:
    """Versions, hardware and the command line of this process."""
    return {
        "snnlab": snnlab.__version__,
        "git": git_state(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: version for name, version in package_versions().items() if version is not None},
        "plugins": list(plugins),
        "device": str(device),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "cuda": torch.version.cuda if device.type == "cuda" else None,
        "cpu_count": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "processes": processes,
        "allocator": allocator_state(),
        "command": sys.argv,
    }


def code_version() -> str:
    """The version, and from a clone the commit, with a plus sign where it was changed."""
    git = git_state()
    if git is None:
        return snnlab.__version__
    return f"{snnlab.__version__} {git['commit'][:10]}{'+' if git['changed'] else ''}"


def git_state() -> dict[str, Any] | None:
    """Commit and whether it was changed, for a run from a clone."""
    root = Path(snnlab.__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        commit = _run("git", "-C", str(root), "rev-parse", "HEAD")
        changes = _run("git", "-C", str(root), "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return None
    return {"commit": commit, "changed": bool(changes)}


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
