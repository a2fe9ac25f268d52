"""The name that results carry for their data: that of the data set, or of the folder with one's own samples."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snnlab.registry import component_files


def data_name(component: str, keys: Mapping[str, Any]) -> str:
    """What results, run directories and reports call the data.

    Args:
        component: the name of the data set's component.
        keys: its keys; where `folder` names a folder, that one's name counts.
    """
    folder = keys.get("folder")
    if not isinstance(folder, str | Path) or Path(folder).name in ("", component):
        return component
    return folder_name(Path(folder))


def folder_name(folder: Path) -> str:
    """A folder's name as a part of a run directory's name; never the name of a published data set."""
    name = re.sub(r"[^\w.+-]+", "_", Path(os.path.abspath(folder.expanduser())).name).strip("._-") or "data"
    return f"own_{name}" if name in component_files("dataset") else name
