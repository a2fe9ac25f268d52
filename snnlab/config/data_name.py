"""The name that results carry for their data: that of the data set, or of the folder with one's own samples."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snnlab.config.signature import read_component
from snnlab.registry import component_files


def data_name(component: str, keys: Mapping[str, Any]) -> str:
    """What results, run directories and reports call the data.

    Args:
        component: the name of the data set's component.
        keys: its keys; where the last part of `folder` is another than usual, it counts.
    """
    folder = keys.get("folder")
    if (
        not isinstance(folder, str | Path)
        or not Path(folder).name
        or component not in component_files("dataset")
    ):
        return component
    published = read_component(component_files("dataset")[component][1]).keys["folder"].default
    usual = {component, Path(published).name} if isinstance(published, str) else {component}
    return component if Path(folder).name in usual else folder_name(Path(folder))


def folder_name(folder: Path) -> str:
    """A folder's name as a part of a run directory's name; never the name of a published data set."""
    name = re.sub(r"[^\w.+-]+", "_", Path(os.path.abspath(folder.expanduser())).name).strip("._-") or "data"
    return f"own_{name}" if name in component_files("dataset") else name
