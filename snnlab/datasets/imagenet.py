"""ImageNet-1k, or any other folder of class folders with pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from torch import Tensor

from snnlab.data.dataset import SampleSet, Status
from snnlab.data.file_check import unreadable
from snnlab.data.files import ELSEWHERE, class_folders
from snnlab.data.identity import DataFiles
from snnlab.data.image_data import ImageData
from snnlab.data.image_files import ImageFiles, Opened, Picture, pictures, scan
from snnlab.errors import DataError
from snnlab.ranges import Fraction, PositiveInt


class ImageNet(ImageData):
    """ImageNet-1k (ILSVRC 2012) in class folders, `train/<class>/*.JPEG` and `val/<class>/*.JPEG`.

    Training pictures are cut by RandomResizedCrop and flipped at random in the loader; test pictures are
    resized by their shorter side and cut from the middle (TET, TMC, TWD).

    Args:
        root: folder of all data sets.
        num_steps: unused, the image is shown at every step.
        image_size: height and width of the crops.
        resize: shorter side before the test crop, at least image_size. Default 256, for 224.
        min_area: smallest part of a picture's area that a training crop may show; 1 shows all of it.
        flip: probability of a horizontal flip while training.
        interpolation: of both crops: bilinear | bicubic.
        folder: folder under the data root, holding train/<class>/* and val/<class>/*.
        classes: number of class folders. Another number means another data set, with other labels. One in another
            folder is called by the name of that folder in results.

    Raises:
        ValueError: `resize` is smaller than `image_size`.
    """

    in_channels = 3
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
    ) -> None:
        super().__init__(root, image_size, "published" if Path(folder).name == "imagenet" else "folders")
        if resize < image_size:
            raise ValueError(f"dataset.resize={resize} is smaller than dataset.image_size={image_size}")
        self.resize, self.min_area, self.flip = resize, min_area, flip
        self.interpolation = interpolation
        self.folder = self.root / folder
        self.num_classes = classes
        self.class_names = class_folders(self.folder / "train") or tuple(
            str(label) for label in range(classes)
        )
        self.raw_shape = (3, image_size, image_size)

    def _train_set(self) -> SampleSet:
        return self._part("train", self._train_transform())

    def _test_set(self) -> SampleSet:
        return self._part("val", self._test_transform())

    def data_files(self) -> DataFiles:
        for part in ("train", "val"):
            if not class_folders(self.folder / part):
                raise DataError(f"dataset imagenet: no class folders in {self.folder / part}", self._how())
        return DataFiles.at(
            self.folder,
            (
                Path(path)
                for part in ("train", "val")
                for name in class_folders(self.folder / part)
                for path in pictures(self.folder / part / name)
            ),
        )

    def status(self) -> Status:
        present = all(class_folders(self.folder / part) for part in ("train", "val"))
        return Status(present, self.folder, note="" if present else self._how())

    def verify(self) -> list[str]:
        found = super().verify()
        if found:
            return found
        paths = [path for part in ("train", "val") for path, _ in scan(self.folder / part)[1]]
        return unreadable(Opened(paths), len(paths), self.folder.name)

    def _part(self, part: str, transform: Callable[[Picture], Tensor]) -> SampleSet:
        if not class_folders(self.folder / part):
            raise DataError(f"dataset imagenet: no class folders in {self.folder / part}", self._how())
        try:
            names, files = scan(self.folder / part)
        except FileNotFoundError as error:
            raise DataError(f"dataset imagenet: {error}", self._how()) from error
        if len(names) != self.num_classes:
            raise DataError(
                f"dataset imagenet: {len(names)} class folders in {self.folder / part}, "
                f"but dataset.classes={self.num_classes}",
                f"for pictures of your own: dataset=image_folder dataset.folder={self.folder}; "
                f"for another data set in this layout and as large: dataset.classes={len(names)}",
            )
        others = set(names).symmetric_difference(self.class_names)
        if others:
            raise DataError(
                f"dataset imagenet: {self.folder / 'train'} and {self.folder / part} do not hold the same classes: "
                f"{', '.join(sorted(others)[:4])} {'are' if len(others) > 1 else 'is'} in one of them only",
                "a class's number follows from the names of all folders, so train and val need the same ones",
            )
        return ImageFiles(files, transform)

    def _train_transform(self) -> Callable[[Picture], Tensor]:
        from torchvision import transforms

        steps = [
            transforms.RandomResizedCrop(
                self.image_size, scale=(self.min_area, 1.0), interpolation=self._interpolation()
            ),
            transforms.RandomHorizontalFlip(self.flip),
            transforms.PILToTensor(),
        ]
        return _composed(steps)

    def _test_transform(self) -> Callable[[Picture], Tensor]:
        from torchvision import transforms

        steps = [
            transforms.Resize(self.resize, interpolation=self._interpolation()),
            transforms.CenterCrop(self.image_size),
            transforms.PILToTensor(),
        ]
        return _composed(steps)

    def _interpolation(self) -> object:
        from torchvision.transforms import InterpolationMode

        return InterpolationMode(self.interpolation)

    def _how(self) -> str:
        return (
            "get ILSVRC 2012 from https://www.image-net.org/download.php and unpack it into class folders, "
            f"{self.folder}/train/<class>/*.JPEG and {self.folder}/val/<class>/*.JPEG; "
            f"{ELSEWHERE}"
        )


def _composed(steps: list[Callable[[Picture], Picture]]) -> Callable[[Picture], Tensor]:
    from torchvision import transforms

    composed: Callable[[Picture], Tensor] = transforms.Compose(steps)
    return composed
