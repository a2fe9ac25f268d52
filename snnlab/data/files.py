"""Finds the recordings of a published data set on disk and sorts them."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from snnlab.data.archives import unpack_archives
from snnlab.data.foreign import reading
from snnlab.errors import DataError

# The end of every hint about missing data.
ELSEWHERE = "paths.data=DIR or the environment variable SNNLAB_DATA name another place"


@dataclass(frozen=True)
class Recording:
    """One recording on disk.

    Attributes:
        name: file name relative to the data set's folder, with `/`; splits and the manifest refer to it.
        label: class index.
        path: absolute or relative path.
    """

    name: str
    label: int
    path: Path

    @property
    def stamp(self) -> str:
        """Name, size in bytes and modification time of a file."""
        state = self.path.stat()
        return f"{self.name}\t{state.st_size}\t{state.st_mtime_ns}"


@dataclass(frozen=True)
class Layout:
    """The published folder structure `<folder>/[<part>/]<class>/<name><number><ending>`.

    Attributes:
        folders: candidate folders below the data folder; the first is named in hints.
        parts: names of folders above the classes; none for a set without a published split.
        classes: names of the class folders, in the order of the labels.
        endings: file endings; the first that occurs in a class folder is used. Other recordings than these under a
            further ending are an error.
        archives: patterns of archives that are unpacked in place.
        address: download page.
        stem: pattern of file names without their ending; other files are left out. CLASS stands for the class's name.
            By default letters, digits, `_`, `-` and `.`, the last of them a digit, which second copies such as
            `image_0001 (1)` and hidden files do not fit.
    """

    folders: tuple[str, ...]
    classes: tuple[str, ...]
    endings: tuple[str, ...]
    address: str
    parts: tuple[str, ...] = ("",)
    archives: tuple[str, ...] = field(default=())
    stem: str = r"\w([\w.-]*\d)?(?<=\d)"

    def find(self, root: Path, name: str) -> list[Recording]:
        """All recordings, sorted by part, class and number, whatever the order of the file system.

        Raises:
            DataError: there are none; the hint says how to get them.
        """
        for folder in self.folders:
            found = list(self._recordings(root / folder))
            if found:
                return found
        raise missing(root, name, self.folders[0], self._example(), self.address)

    def find_or_unpack(self, root: Path, name: str) -> list[Recording]:
        """Finds the recordings; if a class folder is missing, archives in the data set's folders are unpacked first.

        Raises:
            DataError: there are no recordings, or an archive is damaged.
        """
        if self.archives and not any(self._is_complete(root / folder) for folder in self.folders):
            for folder in self.folders:
                unpack_archives(root / folder, self.archives)
        return self.find(root, name)

    def _is_complete(self, folder: Path) -> bool:
        return all((folder / part / name).is_dir() for part in self.parts for name in self.classes)

    def _recordings(self, folder: Path) -> Iterator[Recording]:
        for part in self.parts:
            for label, class_name in enumerate(self.classes):
                stem = re.compile(self.stem.replace("CLASS", re.escape(class_name)))
                for path in _files(folder / part / class_name, self.endings, stem):
                    yield Recording(path.relative_to(folder).as_posix(), label, path)

    def _example(self) -> str:
        return "/".join(filter(None, (self.parts[0], self.classes[0], f"*{self.endings[0]}")))


def is_foreign(folder_name: str) -> bool:
    """Whether a folder is hidden, or one that a system adds: __MACOSX, @eaDir, $RECYCLE.BIN, lost+found."""
    return folder_name.startswith((".", "__", "@", "$")) or folder_name == "lost+found"


def class_folders(folder: Path) -> tuple[str, ...]:
    """The sorted names of the subfolders, without hidden ones and those that a system adds."""
    if not folder.is_dir():
        return ()
    with reading(folder, "is the folder readable for you?"):
        names = [entry.name for entry in folder.iterdir() if entry.is_dir()]
    return tuple(sorted(name for name in names if not is_foreign(name)))


def number_in(name: str) -> int:
    """The last number in a file name without its ending: 12 in `cifar10_airplane_12.aedat`.

    Raises:
        ValueError: there is none.
    """
    numbers = re.findall(r"\d+", Path(name).stem)
    if not numbers:
        raise ValueError(f"no number in the file name '{name}'")
    return int(numbers[-1])


class NotThereError(DataError):
    """There is nothing of a data set; the hint says how to get it."""


def missing(root: Path, name: str, folder: str, example: str, address: str) -> NotThereError:
    """The error for a data set that is not present."""
    return NotThereError(
        f"dataset {name}: nothing at {root / folder}/{example}",
        f"get it from {address} and put it, unpacked or as it is, into {root / folder}; {ELSEWHERE}",
    )


def files_named(folder: Path, stem: re.Pattern[str]) -> list[Path]:
    """The files in a folder whose names without their ending have this form, in arbitrary order.

    Raises:
        DataError: the folder cannot be read.
    """
    if not folder.is_dir():
        return []
    with reading(folder, "is the folder readable for you?"), os.scandir(folder) as found:
        return [
            Path(entry.path)
            for entry in found
            if stem.fullmatch(os.path.splitext(entry.name)[0]) is not None and entry.is_file()
        ]


def _files(folder: Path, endings: Sequence[str], stem: re.Pattern[str]) -> list[Path]:
    entries = files_named(folder, stem)
    by_ending = {ending: {path.stem: path for path in entries if path.suffix == ending} for ending in endings}
    there = [ending for ending in endings if by_ending[ending]]
    if not there:
        return []
    chosen = by_ending[there[0]]
    for ending in there[1:]:
        if others := sorted(by_ending[ending].keys() - chosen.keys()):
            raise DataError(
                f"{folder} holds {len(chosen)} recordings as {there[0]} and {len(others)} others as {ending}, "
                f"'{others[0]}{ending}' for one",
                "keep those of one form; the first part of a conversion, or of a download, may have been left behind",
            )
    return sorted(chosen.values(), key=lambda path: (number_in(path.name), path.name))
