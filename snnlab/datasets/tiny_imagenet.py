"""Tiny-ImageNet: 200 classes of ImageNet at 64 x 64 pixels."""

from pathlib import Path
from typing import Literal

from snnlab.data.archives import unpack_archives
from snnlab.data.dataset import Status
from snnlab.data.files import ELSEWHERE, NotThereError, class_folders
from snnlab.data.image_files import pictures
from snnlab.data.picture_data import PARTS, Listing, Part, PictureData
from snnlab.data.val_annotations import annotated
from snnlab.errors import DataError
from snnlab.ranges import Fraction, PositiveInt

_ARCHIVE = "tiny-imagenet-200.zip"


class TinyImageNet(PictureData):
    """Tiny-ImageNet (Stanford CS231n): 100,000 + 10,000 pictures of 64 x 64 pixels, 200 classes.

    As published: `train/<wnid>/images/*.JPEG`, and `val/images/*.JPEG` whose classes are in `val/val_annotations.txt`;
    or, as some move them, `val/<wnid>/`. The labels of the published `test` folder are not published, so results are
    for `val`. The archive `tiny-imagenet-200.zip` in the data folder is unpacked there. Classes are numbered in the
    order of their wnids. Cuts, mean and deviation are LM-HT's (RandomResizedCrop and flip; its ImageNet policy is
    `augment=autoaugment augment.autoaugment.policy=imagenet`).

    Args:
        root: folder of all data sets.
        num_steps: unused, the image is shown at every step.
        image_size: height and width of the crops.
        resize: shorter side before the test crop, at least image_size.
        min_area: smallest part of a picture's area that a training crop may show; 1 shows all of it,
            but for the ends of pictures that are longer than 4 : 3.
        flip: probability of a horizontal flip while training.
        interpolation: of both crops: bilinear | bicubic.
        folder: folder under the data root, holding train and val.
        classes: number of classes.
        broken: pictures that cannot be read: error | skip (left out and counted). With skip, all pictures are read
            once before the first run.

    Raises:
        ValueError: `resize` is smaller than `image_size`.
    """

    name = "tiny_imagenet"
    mean = (0.480, 0.448, 0.398)
    std = (0.272, 0.266, 0.274)

    def __init__(
        self,
        root: Path,
        num_steps: int = 1,
        *,
        image_size: PositiveInt = 64,
        resize: PositiveInt = 64,
        min_area: Fraction = 0.08,
        flip: Fraction = 0.5,
        interpolation: Literal["bilinear", "bicubic"] = "bilinear",
        folder: str = "tiny-imagenet-200",
        classes: PositiveInt = 200,
        broken: Literal["error", "skip"] = "error",
    ) -> None:
        place = Path(root) / folder
        super().__init__(root, place, classes, image_size, resize, min_area, flip, interpolation, broken)
        self.class_names = class_folders(place / "train") or tuple(map(str, range(classes)))

    def prepare(self) -> None:
        self._unpack()
        super().prepare()

    def look(self) -> None:
        if self.folder.is_dir() or not (self.root / _ARCHIVE).is_file():
            super().look()

    def list_part(self, part: Part) -> Listing:
        folder = self.folder / part
        names = class_folders(folder)
        if part == "val" and "images" in names:
            return self._annotated(names)
        if not names:
            raise self.missing(folder, "class folders" if part == "train" else "pictures")
        return {name: pictures(folder / name) for name in names}

    def how(self) -> str:
        return (
            f"get http://cs231n.stanford.edu/{_ARCHIVE} (or https://image-net.org) and put it, as it is or unpacked, "
            f"into {self.root}, so that {self.folder}/train/<wnid>/images/*.JPEG and "
            f"{self.folder}/val/val_annotations.txt are there; {ELSEWHERE}"
        )

    def status(self) -> Status:
        found = super().status()
        if not found.present:
            return found
        count = sum(len(paths) for part in PARTS for paths in self.listing(part).values())
        return Status(True, self.folder, count, 110_000)

    def _annotated(self, names: tuple[str, ...]) -> Listing:
        folder = self.folder / "val"
        classes = tuple(self.listing("train"))
        found = pictures(folder / "images")
        moved = [name for name in names if name != "images"]
        if found and moved:
            raise DataError(
                f"dataset {self.name}: {folder} holds pictures in images/ and class folders, '{moved[0]}' for one",
                "keep one of both forms; a move into class folders may have stopped half-way",
            )
        if moved:
            return {name: pictures(folder / name) for name in moved}
        if not (folder / "val_annotations.txt").is_file():
            raise self.missing(folder, "val_annotations.txt")
        return annotated(folder / "val_annotations.txt", found, classes)

    def _unpack(self) -> None:
        """Unpacks the archive where a part is missing."""
        try:
            for part in PARTS:
                self.listing(part)
        except NotThereError:
            unpack_archives(self.root, (_ARCHIVE,))
            self._listed.clear()
            self.forget_files()
            names = class_folders(self.folder / "train")
            self.class_names = names or self.class_names
