"""EvTouch-Containers: four containers at several fill levels, grasped with an event-based tactile sensor."""

from pathlib import Path
from typing import Literal

from snnlab.data.touch import TouchData


class EvTouchContainers(TouchData):
    """EvTouch-Containers (Gu et al. 2020, TactileSGNet): 240 + 60 grasps, 39 taxels, 2 polarities, 325 steps.

    Four containers at five fill levels are 20 classes, in the published numbering. `Ev-Containers.zip` as published,
    or the folder in it, under `evtouch` in the data folder or there itself. Frames are those of `TouchData`:
    fewer steps than the 325 recorded ones are sums of neighbours.

    Args:
        root: folder of all data sets.
        num_steps: frames per recording, at most 325.
        values: a frame holds: counts (of spikes) | binary (any spike).
        empty: recordings without a spike: error | skip (left out and counted).
        split: published: the folders train and test, 12 and 3 of each class.
    """

    name = "evtouch_containers"
    archive = "Ev-Containers.zip"
    class_names = tuple(f"class {k}" for k in range(20))
    native_steps = 325
    parts = (240, 60)

    def __init__(
        self,
        root: Path,
        num_steps: int = 325,
        *,
        values: Literal["counts", "binary"] = "counts",
        empty: Literal["error", "skip"] = "error",
        split: Literal["published"] = "published",
    ) -> None:
        super().__init__(root, num_steps, values, split, empty)
