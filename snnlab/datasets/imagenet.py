"""ImageNet-1k, or any other folder of class folders with pictures."""

from pathlib import Path
from typing import Literal

from snnlab.data.files import ELSEWHERE, class_folders
from snnlab.data.image_files import pictures
from snnlab.data.picture_data import Listing, Part, PictureData
from snnlab.ranges import Fraction, PositiveInt


class ImageNet(PictureData):
    """ImageNet-1k (ILSVRC 2012) in class folders, `train/<class>/*.JPEG` and `val/<class>/*.JPEG`.

    Training pictures are cut by RandomResizedCrop and flipped at random in the loader; test pictures are
    resized by their shorter side and cut from the middle (TET, TMC, TWD).

    Args:
        root: folder of all data sets.
        num_steps: unused, the image is shown at every step.
        image_size: height and width of the crops.
        resize: shorter side before the test crop, at least image_size. Default 256, for 224.
        min_area: smallest part of a picture's area that a training crop may show; 1 shows all of it,
            but for the ends of pictures that are longer than 4 : 3.
        flip: probability of a horizontal flip while training.
        interpolation: of both crops: bilinear | bicubic.
        folder: folder under the data root, holding train/<class>/* and val/<class>/*.
        classes: number of class folders. Another number means another data set, with other labels. One in another
            folder is called by the name of that folder in results.
        broken: pictures that cannot be read: error | skip (left out and counted). With skip, all pictures are read
            once before the first run.

    Raises:
        ValueError: `resize` is smaller than `image_size`.
    """

    name = "imagenet"
    mean = (0.485, 0.456, 0.406)
    std = (0.229, 0.224, 0.225)

    def __init__(
        self,
        root: Path,
        num_steps: int = 1,
        *,
        image_size: PositiveInt = 224,
        resize: PositiveInt = 256,
        min_area: Fraction = 0.08,
        flip: Fraction = 0.5,
        interpolation: Literal["bilinear", "bicubic"] = "bilinear",
        folder: str = "imagenet",
        classes: PositiveInt = 1000,
        broken: Literal["error", "skip"] = "error",
    ) -> None:
        place = Path(root) / folder
        # Another folder holds other pictures, which nobody has published under this name.
        split = "published" if Path(folder).name == self.name else "folders"
        super().__init__(
            root, place, classes, image_size, resize, min_area, flip, interpolation, broken, split
        )
        self.class_names = class_folders(place / "train") or tuple(map(str, range(classes)))

    def list_part(self, part: Part) -> Listing:
        names = class_folders(self.folder / part)
        if not names:
            raise self.missing(self.folder / part, "class folders")
        return {name: pictures(self.folder / part / name) for name in names}

    def how(self) -> str:
        return (
            "get ILSVRC 2012 from https://www.image-net.org/download.php and unpack it into class folders, "
            f"{self.folder}/train/<class>/*.JPEG and {self.folder}/val/<class>/*.JPEG; "
            f"{ELSEWHERE}"
        )
