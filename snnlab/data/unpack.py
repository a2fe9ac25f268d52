"""Unpacks one archive into a folder, within bounds: an archive may be damaged, or made to fill the disk.

Nothing is written outside of the folder. Size, number and depth of what is in an archive are bounded before it is
written, for all archives inside of it together.
"""

import bz2
import errno
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from snnlab.errors import DataError

# Published recordings are packed to a half or a tenth of their size.
RATIO = 20
LEAST_BYTES = 16 << 20
"""What any archive may unpack to, however small it is."""
MOST_FILES = 200_000
"""N-MNIST, the largest published set that is unpacked here, has 70,000."""
MOST_INSIDE = 3
"""Archives inside of archives; N-Caltech101 has one level."""
LONGEST_READ = 16 << 20
"""A tar file's header may say its own size; it is read at once."""
INNER = (".zip", ".tar.gz")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)
_AGAIN = "download it again; if it is as published, unpack it by hand beside it"


@dataclass
class Budget:
    """What may still be unpacked of an archive and of those inside of it; raises DataError beyond."""

    archive: Path
    bytes: int
    files: int
    kinds: dict[PurePosixPath, bool] = field(default_factory=dict)
    """The names so far: True for a file, False for a folder."""

    def admit(self, name: str, size: int, is_file: bool = True) -> None:
        """Counts an entry before it is written."""
        path = PurePosixPath(*(part for part in name.split("/") if part not in ("", ".", "..")))
        self.bytes -= size
        self.files -= 1
        if self.bytes < 0:
            raise self.error(f"unpacks to more than {RATIO} times its size, at {name}")
        if self.files < 0:
            raise self.error(f"holds more than {MOST_FILES:,} files")
        above = path.parents[:-1]
        if self.kinds.get(path, is_file) != is_file or any(self.kinds.get(one, False) for one in above):
            raise self.error(f"uses the name {name} for a file and for a folder")
        if is_file and path in self.kinds:
            raise self.error(f"holds two files called {name}")
        self.kinds |= {**dict.fromkeys(above, False), path: is_file}

    def error(self, why: str) -> DataError:
        return DataError(f"{self.archive} is not unpacked: it {why}", _AGAIN)


def unpack(archive: Path, target: Path) -> None:
    """Unpacks a zip or tar file, and archives inside of it, into a folder that is then made or filled.

    Raises:
        DataError: it is damaged or encrypted, leads out of the folder, has clashing or over-long names, or is larger,
            deeper or has more files than data sets do.
    """
    budget = Budget(archive, max(LEAST_BYTES, RATIO * archive.stat().st_size), MOST_FILES)
    try:
        _extract(archive, target, budget, 0)
    except OSError as error:
        if error.errno in _FULL:
            raise
        raise _damaged(archive, error) from error
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        LookupError,
        MemoryError,
        OverflowError,
        RecursionError,
        RuntimeError,  # an encrypted zip, or a way of packing that Python does not know
        ValueError,
    ) as error:
        if isinstance(error, DataError):
            raise
        raise _damaged(archive, error) from error


def _damaged(archive: Path, error: Exception) -> DataError:
    if "password" in str(error) or "encrypted" in str(error):
        return DataError(f"{archive} is encrypted", "unpack it by hand, beside it")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return DataError(f"{archive} is damaged: {(reason or type(error).__name__)[:200]}", "download it again")


def _extract(archive: Path, target: Path, budget: Budget, depth: int) -> None:
    if depth > MOST_INSIDE:
        raise budget.error(f"holds archives inside of archives, more than {MOST_INSIDE} deep")
    target.mkdir(exist_ok=True)
    # An archive inside of another has names of its own.
    budget.kinds = {}
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as found:
            for entry in found.infolist():
                budget.admit(entry.filename, entry.file_size, not entry.is_dir())
            found.extractall(target)
    else:
        with _stream(archive) as stream, tarfile.TarFile(fileobj=_Bounded(stream, budget)) as tar:  # type: ignore[arg-type]
            for member in _members(tar, budget):
                tar.extract(member, target, filter="data")
    inside = (path for path in target.rglob("*") if path.name.endswith(INNER))
    for inner in sorted(path for path in inside if path.is_file() and not path.is_symlink()):
        # Under another name, so that the search inside it does not find the archive itself.
        taken = inner.rename(inner.with_name(f"{inner.name}.inner"))
        _extract(taken, taken.parent, budget, depth + 1)
        taken.unlink()


def _members(tar: tarfile.TarFile, budget: Budget) -> Iterator[tarfile.TarInfo]:
    for member in tar:
        if not (member.isfile() or member.isdir()):
            raise budget.error(f"holds a link or a device, {member.name}")
        budget.admit(member.name, member.size, member.isfile())
        yield member


def _stream(archive: Path) -> IO[bytes]:
    with archive.open("rb") as stream:
        start = stream.read(6)
    for magic, opened in ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ", lzma.open)):
        if start.startswith(magic):
            found: Any = opened(archive, "rb")
            return found  # type: ignore[no-any-return]
    return archive.open("rb")


class _Bounded:
    """A stream for tarfile that reads no header of a size that no header has."""

    def __init__(self, stream: IO[bytes], budget: Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, size: int) -> bytes:
        if size > LONGEST_READ:
            raise self._budget.error(f"has a header of {size:,} bytes")
        return self._stream.read(size)

    def seek(self, place: int) -> int:
        return self._stream.seek(place)

    def tell(self) -> int:
        return self._stream.tell()
