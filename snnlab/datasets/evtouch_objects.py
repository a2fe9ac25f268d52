"""EvTouch-Objects: 36 household objects touched by a robot's finger with an event-based tactile sensor."""

from pathlib import Path
from typing import Literal

from snnlab.data.touch import TouchData


class EvTouchObjects(TouchData):
    """EvTouch-Objects (Gu et al. 2020, TactileSGNet): 576 + 144 grasps, 39 taxels, 2 polarities, 250 steps.

    `Ev-Objects.zip` as published, or the folder in it, under `evtouch` in the data folder or there itself.
    Frames are those of `TouchData`: fewer steps than the 250 recorded ones are sums of neighbours.

    Args:
        root: folder of all data sets.
        num_steps: frames per recording, at most 250.
        values: a frame holds: counts (of spikes) | binary (any spike).
        empty: recordings without a spike: error | skip (left out and counted).
        split: published: the folders train and test, 16 and 4 of each object.
    """

    name = "evtouch_objects"
    archive = "Ev-Objects.zip"
    class_names = tuple(f"object {k}" for k in range(36))
    native_steps = 250
    parts = (576, 144)

    def __init__(
        self,
        root: Path,
        num_steps: int = 250,
        *,
        values: Literal["counts", "binary"] = "counts",
        empty: Literal["error", "skip"] = "error",
        split: Literal["published"] = "published",
    ) -> None:
        super().__init__(root, num_steps, values, split, empty)
