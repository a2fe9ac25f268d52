"""A folder of one's own samples: a folder for each class, below train/ and test/ (or val/), or without these."""

import hashlib
import logging
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snnlab.config.data_name import folder_name
from snnlab.config.quoting import on_shell
from snnlab.data.files import NotThereError, Recording, class_folders, is_foreign
from snnlab.data.foreign import reading
from snnlab.data.places import cache_parent
from snnlab.data.splits import Split, by_test_mask, stratified
from snnlab.errors import ConfigError, DataError

By = Literal["auto", "folders", "fraction"]
# The names of the folders of a split, in any case; of several that are held out the first one counts.
TRAIN = ("train", "training")
HELD_OUT = ("test", "testing", "val", "valid", "validation")
_CACHES = "__own__"  # a name that no folder of classes takes for a class
_NAMED = 4
_log = logging.getLogger(__name__)


class OwnFolder:
    """The classes, the samples and the split of a folder.

    Args:
        component: the component that reads it, for messages.
        folder: the folder; `None` if none was given.
        endings: lower-case endings of the names of samples, with their dots.
        by: `folders`: train/ against test/ or val/; `fraction`: a part of every class at random; `auto`: by folders
            where there are some.
        fraction: of each class for training.
        seed: of the random split.

    Attributes:
        name: what results call the data.
        classes: names of the class folders; two made-up ones where there is no folder, so that shapes are known.
        parts: the folders of the two sides; none if the split is by fraction.
        split_name: the named split.

    Raises:
        ConfigError: the split does not fit the folder.
    """

    def __init__(
        self,
        component: str,
        folder: Path | None,
        endings: Sequence[str],
        by: By,
        fraction: float,
        seed: int,
    ) -> None:
        self.component = component
        self.path = None if folder is None else Path(os.path.abspath(folder.expanduser()))
        self.name = component if self.path is None else folder_name(self.path)
        self.endings = tuple(endings)
        self.fraction, self.seed = fraction, seed
        self.parts = self._parts(by)
        self.split_name = "folders" if self.parts else f"stratified{fraction * 100:g}_seed{seed}"
        self.classes = self._class_folders(self.parts[0] if self.parts else "") or ("0", "1")

    @property
    def there(self) -> bool:
        """Whether the folder exists and has class folders."""
        return self.path is not None and bool(self._class_folders(self.parts[0] if self.parts else ""))

    def find(self) -> list[Recording]:
        """All samples by part, class and name, whatever the order of the file system.

        Raises:
            NotThereError: there is no such folder, or it has no class folders.
            DataError: a class has no samples, there is one class only, or a held-out class is not among the others.
        """
        if self.path is None:
            raise NotThereError(f"dataset {self.component}: no folder is given", self.how())
        if not self.there:
            there = "is a file" if self.path.exists() else "is not there"
            what = "has no class folders" if self.path.is_dir() else there
            raise NotThereError(f"dataset {self.component}: {self.path} {what}", self.how())
        if len(self.classes) < 2:
            raise DataError(
                f"dataset {self.component}: {self.path} has the one class folder '{self.classes[0]}'",
                self.how(),
            )
        found: list[Recording] = []
        self._refuse_a_split_as_classes()
        others = [f"{name}/" for name in class_folders(self.path) if self.parts and name not in self.parts]
        for part in self.parts or ("",):
            self._refuse_other_classes(part)
            others += [name for name in self._beside(part) if Path(name).suffix.lower() in self.endings]
            for label, name in enumerate(self.classes):
                place = "/".join(filter(None, (part, name)))
                samples, rest = self._samples(place)
                if not samples and (self.path / place).is_dir():
                    raise DataError(
                        f"dataset {self.component}: no file in {self.path / place} is a sample",
                        f"samples end in {' '.join(self.endings)}; remove the folder, or fill it",
                    )
                found += [Recording(one, label, self.path / one) for one in samples]
                others += rest
        self._tell(others)
        return found

    def sides(self, names: Sequence[str], labels: NDArray[np.int64]) -> Split:
        """The training and the held-out samples, by index."""
        if self.parts:
            return by_test_mask(np.array([name.startswith(f"{self.parts[1]}/") for name in names]))
        return stratified(labels, self.fraction, self.seed)

    def cache_parent(self, root: Path) -> Path:
        """The folder of the caches made of this folder; two folders of one name have two."""
        digest = hashlib.sha256(os.fsencode(self.path or "")).hexdigest()[:8]
        return cache_parent(root, f"{_CACHES}/{self.name}-{digest}")

    def how(self) -> str:
        """What to do where samples are missing."""
        return (
            f"dataset.folder=DIR names a folder of class folders, DIR/<class>/*{self.endings[0]} or "
            f"DIR/train/<class>/* and DIR/test/<class>/*"
        )

    def _parts(self, by: By) -> tuple[str, ...]:
        folders = {} if self.path is None else {name.lower(): name for name in class_folders(self.path)}
        train, held_out = (
            [folders[name] for name in names if name in folders and self._class_folders(folders[name])]
            for names in (TRAIN, HELD_OUT)
        )
        both = bool(train and held_out)
        if by == "folders" and self.path is not None and self.path.is_dir() and not both:
            raise ConfigError(
                f"dataset.split=folders: {self.path} has no class folders below both train/ and test/ (or val/)",
                "dataset.split=fraction holds out a part of every class",
            )
        if by == "fraction" and both:
            part = on_shell("dataset.folder", f"{self.path}/{train[0]}")
            raise ConfigError(
                f"dataset.split=fraction: {self.path} has {train[0]}/ and {held_out[0]}/ already",
                f"dataset.split=folders takes these; {part} splits that part",
            )
        return (train[0], held_out[0]) if both else ()

    def _class_folders(self, part: str) -> tuple[str, ...]:
        return () if self.path is None else class_folders(self.path / part)

    def _refuse_a_split_as_classes(self) -> None:
        """Folders called test and val are hardly two classes of pictures."""
        if not self.parts and {name.lower() for name in self.classes} <= {*TRAIN, *HELD_OUT}:
            raise DataError(
                f"dataset {self.component}: {self.path} has the folders {', '.join(self.classes[:_NAMED])}, which are "
                f"the names of a split's parts",
                f"a split by folders needs class folders in both train/ and test/ (or val/); {self.how()}",
            )

    def _refuse_other_classes(self, part: str) -> None:
        others = sorted({*self._class_folders(part)} - {*self.classes})
        if others:
            raise DataError(
                f"dataset {self.component}: {self.path}/{part} has the classes {', '.join(others[:_NAMED])}, "
                f"which {self.parts[0]}/ has not",
                "a class that is held out has to be one that is trained",
            )

    def _beside(self, part: str) -> list[str]:
        """The files in a folder of class folders; a link to nothing may have been a class."""
        assert self.path is not None
        with reading(self.path / part, "is the folder readable for you?"):
            entries = [entry for entry in os.scandir(self.path / part) if not entry.name.startswith(".")]
        for entry in entries:
            _refuse_link_to_nothing(Path(entry.path))
        return ["/".join(filter(None, (part, entry.name))) for entry in entries if entry.is_file()]

    def _samples(self, place: str) -> tuple[list[str], list[str]]:
        """The samples below a class folder, and the other files there; both without hidden and foreign ones."""
        assert self.path is not None
        found: list[str] = []
        linked: list[str] = []
        if not (self.path / place).is_dir():
            return [], []
        with reading(self.path / place, "is the folder readable for you?"):
            for folder, inner, names in os.walk(self.path / place, onerror=_pass_on):
                inner[:] = [name for name in inner if not is_foreign(name)]
                # Not followed, as it may lead back; told among what is left out.
                linked += [
                    f"{(Path(folder) / name).relative_to(self.path).as_posix()}/ (a link)"
                    for name in inner
                    if (Path(folder) / name).is_symlink()
                ]
                found += [
                    (Path(folder) / name).relative_to(self.path).as_posix()
                    for name in names
                    if not name.startswith(".")
                ]
        found.sort()
        samples = [name for name in found if Path(name).suffix.lower() in self.endings]
        for name in samples:
            _refuse_link_to_nothing(self.path / name)
        return samples, linked + [name for name in found if Path(name).suffix.lower() not in self.endings]

    def _tell(self, others: Sequence[str]) -> None:
        """Says once in a process which files are left out."""
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        if others:
            say_once(
                f"{self.path}: left out, as no samples in class folders: {', '.join(others[:_NAMED])}{more}"
            )


def _refuse_link_to_nothing(path: Path) -> None:
    if path.is_symlink() and not path.exists():
        raise DataError(
            f"{path} is a link to {os.readlink(path)}, which is not there", "mend the link, or remove it"
        )


@cache
def say_once(text: str) -> None:
    _log.warning(text)


def _pass_on(error: OSError) -> None:
    raise error
