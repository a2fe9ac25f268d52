"""N-Caltech101: photographs on a screen, recorded by an event camera that makes three saccades."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snnlab.data.event_data import EventData
from snnlab.data.files import Layout
from snnlab.data.frames import Framing
from snnlab.data.splits import Split, first_of_class, stratified
from snnlab.ranges import Positive, PositiveInt

_BACKGROUND = "BACKGROUND_Google"
_NAMES = """
    Faces_easy Leopards Motorbikes accordion airplanes anchor ant barrel bass beaver binocular bonsai brain
    brontosaurus buddha butterfly camera cannon car_side ceiling_fan cellphone chair chandelier cougar_body
    cougar_face crab crayfish crocodile crocodile_head cup dalmatian dollar_bill dolphin dragonfly
    electric_guitar elephant emu euphonium ewer ferry flamingo flamingo_head garfield gerenuk gramophone
    grand_piano hawksbill headphone hedgehog helicopter ibis inline_skate joshua_tree kangaroo ketch lamp
    laptop llama lobster lotus mandolin mayfly menorah metronome minaret nautilus octopus okapi pagoda panda
    pigeon pizza platypus pyramid revolver rhino rooster saxophone schooner scissors scorpion sea_horse snoopy
    soccer_ball stapler starfish stegosaurus stop_sign strawberry sunflower tick trilobite umbrella watch
    water_lilly wheelchair wild_cat windsor_chair wrench yin_yang
"""
_OBJECTS = tuple(_NAMES.split())


class NCaltech101(EventData):
    """N-Caltech101 (Orchard et al. 2015): 8709 recordings of up to 240 x 180 pixels, no published split.

    Looked for under `ncaltech101` or `NCALTECH101` in the data folder as `<class>/image_<number>.bin`, also
    inside `Caltech101`; the archive and the archive inside of it are unpacked there. Recordings differ in
    size; all are counted on 180 rows and 240 columns from their upper left corner and decoded to a square.
    Frames are cached at
    that size: 7.5 GB at 10 steps.

    Args:
        root: folder of all data sets.
        num_steps: frames per recording.
        image_size: height and width after decoding; recordings have up to 240 x 180 pixels. Default 48, as in
            NDA and TMC's released code.
        by: frames of equal: number (of events) | time | duration (duration_ms each). See `Framing` for this
            key and the next three.
        duration_ms: length of a frame in milliseconds, for by=duration.
        values: counts (of events) | binary (any event).
        tail: for by=number, events left over: keep (in the last frame) | drop.
        scale: counts (as they are) | max (divided by the frame's largest) | clip (at most 1).
        empty: recordings with fewer events than steps: error | skip (left out and counted).
        resize: bilinear | pil_la (as TET and TMC resize CIFAR10-DVS, see `snnlab/data/pil_la.py`).
        split: first90 (of each class, by number) | stratified90_seed0. In `first90` the first 90 % of each
            class by number are for training, as in NDA, but without the file system's order; in
            `stratified90_seed0` 90 % of each class at random.
        background: true: also the folder BACKGROUND_Google, as a class: 101 classes instead of 100. Published
            results with 101 classes (NDA and those that use its frames) count it.
    """

    name = "ncaltech101"
    sensor = (180, 240)

    def __init__(
        self,
        root: Path,
        num_steps: int = 10,
        *,
        image_size: PositiveInt = 48,
        by: Literal["number", "time", "duration"] = "number",
        duration_ms: Positive = 30.0,
        values: Literal["counts", "binary"] = "counts",
        tail: Literal["keep", "drop"] = "keep",
        scale: Literal["counts", "max", "clip"] = "counts",
        empty: Literal["error", "skip"] = "error",
        resize: Literal["bilinear", "pil_la"] = "bilinear",
        split: Literal["first90", "stratified90_seed0"] = "first90",
        background: bool = False,
    ) -> None:
        self.class_names = (_BACKGROUND, *_OBJECTS) if background else _OBJECTS
        self.expected = 8709 if background else 8242
        self.layout = replace(_LAYOUT, classes=self.class_names)
        super().__init__(
            root, Framing(num_steps, by, duration_ms, values, tail), scale, image_size, split, empty, resize
        )

    def split(self, names: Sequence[str], labels: NDArray[np.int64]) -> Split:
        if self.split_name == "first90":
            return first_of_class(labels, 0.9, math.floor)
        return stratified(labels, 0.9, seed=0)

    def parameters(self) -> dict[str, object]:
        return {**super().parameters(), "classes": self.num_classes}


_LAYOUT = Layout(
    folders=tuple(
        f"{folder}{inner}"
        for folder in ("ncaltech101", "NCALTECH101", "N-Caltech101")
        for inner in ("", "/Caltech101", "/N-Caltech101-archive/Caltech101", "/extract/Caltech101")
    ),
    classes=_OBJECTS,
    endings=(".bin",),
    stem=r"image_[0-9]{4}",
    archives=("N-Caltech101-archive.zip", "Caltech101.zip"),
    address="https://www.garrickorchard.com/datasets/n-caltech101",
)
