"""Frames on disk: a uint8 memory map [N, T, 2, H, W] in a folder that is either complete or absent.

The folder's name is the hash of the preprocessing. It is built under a temporary name, flushed, and renamed
when its manifest is written; a kill at any moment leaves at most a temporary folder, which the next build
removes.
"""

import errno
import hashlib
import json
import logging
import os
import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlab.data.arrays import read_npy
from snnlab.data.cache_writer import Produce, write_frames
from snnlab.data.foreign import reading
from snnlab.data.frame_file import FrameFile
from snnlab.errors import DataError
from snnlab.leftovers import remove_leftovers
from snnlab.locks import lock

FORMAT = 1
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FrameCache:
    """An open cache of integrated frames.

    Attributes:
        folder: the cache's folder.
        frames: uint8 [N, T, 2, H, W].
        labels: [N].
        names: relative file name of every recording.
        empty: indices of the recordings whose frames are all zero.
        manifest: parameters, counts and hashes.
    """

    folder: Path
    frames: FrameFile
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    manifest: Mapping[str, Any]

    @property
    def empty(self) -> list[int]:
        found: list[int] = self.manifest.get("empty", [])
        return found

    def is_of(self, listing: str, labels: Sequence[int]) -> bool:
        """Whether it was made of these recordings, given by `files_hash` of their stamps and by their classes."""
        return bool(self.manifest["files_sha256"] == listing and self.labels.tolist() == list(labels))


def cache_folder(parent: Path, parameters: Mapping[str, object]) -> Path:
    """The folder of the frames made with these parameters."""
    text = json.dumps({"format": FORMAT, **parameters}, sort_keys=True)
    return parent / f"frames-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def files_hash(files: Sequence[str]) -> str:
    """The hash of a list of files, each a name or a name with size and modification time, as in a manifest."""
    return hashlib.sha256("\n".join(files).encode()).hexdigest()


def open_cache(folder: Path) -> FrameCache | None:
    """Opens a cache; `None` if there is none or it is incomplete."""
    try:
        with reading(folder):
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            names = tuple((folder / "names.txt").read_text(encoding="utf-8").splitlines())
            labels = read_npy(folder / "labels.npy")
            frames = FrameFile(folder / "frames.npy")
    except DataError:
        return None
    whole = (
        isinstance(manifest, dict)
        and manifest.get("format") == FORMAT
        and frames.dtype == np.uint8
        and len(frames.shape) == 5
        and list(frames.shape) == manifest.get("shape")
        and len(frames) == len(labels) == len(names)
        and labels.dtype == np.int64
        and all(isinstance(manifest.get(key), str) for key in ("files_sha256", "frames_sha256"))
        and files_hash(names) == manifest.get("names_sha256", files_hash(names))
        and _is_index(manifest.get("empty", []), len(names))
        and _digest(labels) == manifest.get("labels_sha256", _digest(labels))
    )
    return FrameCache(folder, frames, labels, names, manifest) if whole else None


def is_of_this_version(folder: Path) -> bool:
    """Whether a cache has the files and the size of its manifest, without opening its frames."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        there = all((folder / name).is_file() for name in ("names.txt", "labels.npy"))
        size = (folder / "frames.npy").stat().st_size
        return bool(there and manifest["format"] == FORMAT and size > np.prod(manifest["shape"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def cached_steps(parent: Path) -> list[int]:
    """The numbers of time steps of the caches below a folder, ascending, without duplicates."""
    found = (open_cache(folder) for folder in parent.glob("frames-*"))
    return sorted({cache.manifest["shape"][1] for cache in found if cache is not None})


def build_cache(
    folder: Path,
    names: Sequence[str],
    stamps: Sequence[str],
    labels: Sequence[int],
    frame_shape: tuple[int, ...],
    produce: Produce,
    parameters: Mapping[str, object],
    data: Mapping[str, object] | None = None,
    workers: int = 0,
) -> FrameCache:
    """Builds a cache, or waits for the process that is building it and opens that.

    Args:
        folder: the final name, from `cache_folder`.
        names, labels: the recordings.
        stamps: name, size and modification time of each recording.
        frame_shape: [T, 2, H, W].
        produce: frames of the recordings with these indices, uint8 [n, T, 2, H, W].
        parameters: parameters of the preprocessing, stored in the manifest.
        data: identity of the files, stored in the manifest.
        workers: number of worker processes; 0 integrates in this process.

    Raises:
        DataError: no space left, or a recording is unreadable.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    listing = files_hash(stamps)
    with _lock(folder):
        _remove_leftovers(folder)
        existing = open_cache(folder)
        if existing is not None and existing.is_of(listing, labels):
            return existing
        shape = (len(names), *frame_shape)
        _check_space(folder.parent, int(np.prod(shape)))
        temporary = folder.with_name(f"{_temporary_prefix(folder.name)}{os.getpid()}")
        try:
            temporary.mkdir()
            digest, empty = write_frames(
                temporary / "frames.npy", shape, produce, workers, folder.parent.name
            )
            stored_labels = np.asarray(labels, np.int64)
            np.save(temporary / "labels.npy", stored_labels)
            (temporary / "names.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
            manifest = {
                "format": FORMAT,
                "parameters": dict(parameters),
                "shape": list(shape),
                "names_sha256": files_hash(names),
                "files_sha256": listing,
                "labels_sha256": _digest(stored_labels),
                "frames_sha256": digest,
                **({} if data is None else {"data": dict(data)}),
                "empty": empty,
            }
            (temporary / "manifest.json").write_text(json.dumps(manifest, indent=1))
            for file in temporary.iterdir():
                _flush(file)
            _flush(temporary)
            _rename(temporary, folder, listing, labels)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise _no_space(folder.parent, int(np.prod(shape))) from error
            raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    built = open_cache(folder)
    assert built is not None
    return built


def check_cache(folder: Path) -> list[str]:
    """Reads a whole cache and compares it with its manifest; returns the problems."""
    cache = open_cache(folder)
    if cache is None:
        return [f"{folder} is not a whole cache"]
    problems = []
    if files_hash(cache.names) != cache.manifest.get("names_sha256", cache.manifest["files_sha256"]):
        problems.append(f"{folder}/names.txt is not the list of files in the manifest")
    with (folder / "frames.npy").open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != cache.manifest["frames_sha256"]:
            problems.append(f"{folder}/frames.npy is not what was written")
    return problems


def _is_index(found: object, count: int) -> bool:
    return isinstance(found, list) and all(type(i) is int and 0 <= i < count for i in found)


def _digest(array: NDArray[Any]) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def _rename(temporary: Path, folder: Path, listing: str, labels: Sequence[int]) -> None:
    """Renames the finished folder; keeps the existing one if another host, without a common lock, was faster."""
    if folder.exists():
        existing = open_cache(folder)
        if existing is not None and existing.is_of(listing, labels):
            return
        outdated = temporary.with_name(f"{temporary.name}-old")
        folder.rename(outdated)
        shutil.rmtree(outdated, ignore_errors=True)
    temporary.rename(folder)
    _flush(folder.parent)


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Locks the build to one process. The kernel releases the lock when its holder dies, so none becomes stale."""
    with folder.with_name(f".{folder.name}.lock").open("w") as file:
        if not lock(file):
            _log.warning("another process is building %s; waiting for it", folder)
            lock(file, wait=True)
        yield


def _temporary_prefix(name: str) -> str:
    return f"{name}.tmp-{socket.gethostname()}-"


def _remove_leftovers(folder: Path) -> None:
    """Removes what killed builders have left of any cache of the set; those of other machines may be at work."""
    remove_leftovers(folder.parent.glob(f"{_temporary_prefix(folder.name)}*"))
    remove_leftovers(folder.parent.glob(f"{_temporary_prefix('frames-*')}*"), of_this_number=False)


def _check_space(parent: Path, needed: int) -> None:
    if shutil.disk_usage(parent).free < needed:
        raise _no_space(parent, needed)


def _no_space(parent: Path, needed: int) -> DataError:
    return DataError(
        f"no space left for {needed / 1e6:.0f} MB of frames in {parent}",
        "free some space, or let SNNLAB_CACHE name a folder on a larger disk",
    )


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
