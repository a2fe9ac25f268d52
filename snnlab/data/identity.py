"""The identity of a data set: the files that are read, and the samples of both parts of its split. No torch."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from snnlab.data.foreign import reading


@dataclass(frozen=True)
class DataFiles:
    """The files that a data set is read from.

    Attributes:
        count: number of files.
        size: bytes in all.
        hash: over the sorted names and sizes, sixteen hexadecimal digits. Modification times are no part of it, so a
            copy of the data is the same data.
    """

    count: int
    size: int
    hash: str

    @classmethod
    def of(cls, entries: Iterable[tuple[str, int]]) -> Self:
        """The identity of files, each given by its name below the data set's folder and its size in bytes."""
        ordered = sorted(entries)
        text = "".join(f"{name}\t{size}\n" for name, size in ordered)
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        return cls(len(ordered), sum(size for _, size in ordered), digest)

    @classmethod
    def at(cls, folder: Path, paths: Iterable[Path]) -> Self:
        """The identity of files below a folder.

        Raises:
            DataError: one cannot be found, as a link to a file that is gone.
        """
        with reading(folder):
            return cls.of((path.relative_to(folder).as_posix(), path.stat().st_size) for path in paths)


@dataclass(frozen=True, kw_only=True)
class DataIdentity:
    """What a number was measured on; part of `result.json` and of checkpoints.

    Attributes:
        files, bytes, hash: of the files that were read, see `DataFiles`; 0, 0 and None for data of a package and for
            generated data.
        preprocessing: name of the folder with the integrated frames, which contains a hash of its parameters; None
            for data that are decoded as they are read.
        split: name of the split.
        split_hash: over the positions and labels of the samples of both parts, sixteen hexadecimal digits.
        train, test: number of samples.
        skipped: number of recordings without events, or sentences without words, that were left out.
    """

    files: int
    bytes: int
    hash: str | None
    preprocessing: str | None
    split: str
    split_hash: str
    train: int
    test: int
    skipped: int = 0

    def as_mapping(self) -> dict[str, Any]:
        """What files hold."""
        return asdict(self)


def differing(stored: Mapping[str, Any], now: Mapping[str, Any], names: Iterable[str] = ()) -> str:
    """What differs between two stored identities, in words; empty if nothing does.

    Args:
        stored, now: `DataIdentity.as_mapping()`, the second of the data that are there now.
        names: the fields to compare; all by default.
    """
    said = {
        "files": "{} files, now {}",
        "bytes": "{} bytes, now {}",
        "hash": "names or sizes of files (hash {}, now {})",
        "preprocessing": "{}, now {}",
        "split": "split {}, now {}",
        "split_hash": "other samples in the parts of the split (hash {}, now {})",
        "train": "{} samples to train, now {}",
        "test": "{} samples to test, now {}",
        "skipped": "{} empty recordings left out, now {}",
    }
    found: list[str] = []
    hashes = ("hash", "split_hash")
    for one in sorted(
        names or [field.name for field in fields(DataIdentity)], key=lambda name: name in hashes
    ):
        there, here = stored.get(one), now.get(one)
        # A hash is named only where no number explains it.
        if there != here and not (found and one in hashes):
            found.append(said[one].format(there, here))
    return "; ".join(found)
