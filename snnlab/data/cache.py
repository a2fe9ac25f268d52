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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from snnlab.data.track import track
from snnlab.errors import DataError
from snnlab.locks import lock

FORMAT = 1
_CHUNK = 32
_log = logging.getLogger(__name__)

Produce = Callable[[Sequence[int]], NDArray[np.uint8]]


class FrameFile:
    """A memory-mapped .npy file that pickles as its path: each worker process opens it itself."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._map: NDArray[np.uint8] = np.load(path, mmap_mode="r")

    def __getitem__(self, index: NDArray[np.int64]) -> NDArray[np.uint8]:
        return np.asarray(self._map[index])

    def __len__(self) -> int:
        return len(self._map)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._map.shape

    def __reduce__(self) -> tuple[type["FrameFile"], tuple[Path]]:
        return FrameFile, (self.path,)


@dataclass(frozen=True)
class FrameCache:
    """An open cache of integrated frames.

    Attributes:
        folder: the cache's folder.
        frames: uint8 [N, T, 2, H, W].
        labels: [N].
        names: relative file name of every recording.
        manifest: parameters, counts and hashes.
    """

    folder: Path
    frames: FrameFile
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    manifest: Mapping[str, Any]


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
        manifest = json.loads((folder / "manifest.json").read_text())
        names = tuple((folder / "names.txt").read_text().splitlines())
        labels = np.load(folder / "labels.npy")
        frames = FrameFile(folder / "frames.npy")
    except (OSError, ValueError, EOFError):
        return None
    whole = (
        manifest.get("format") == FORMAT
        and list(frames.shape) == manifest["shape"]
        and len(frames) == len(labels) == len(names)
    )
    return FrameCache(folder, frames, labels, names, manifest) if whole else None


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
        existing = open_cache(folder)
        if existing is not None and existing.manifest["files_sha256"] == listing:
            return existing
        _remove_leftovers(folder)
        shape = (len(names), *frame_shape)
        _check_space(folder.parent, int(np.prod(shape)))
        temporary = folder.with_name(f"{_temporary_prefix(folder)}{os.getpid()}")
        try:
            temporary.mkdir()
            digest = _write_frames(temporary / "frames.npy", shape, produce, workers, folder.parent.name)
            np.save(temporary / "labels.npy", np.asarray(labels, np.int64))
            (temporary / "names.txt").write_text("".join(f"{name}\n" for name in names))
            manifest = {
                "format": FORMAT,
                "parameters": dict(parameters),
                "shape": list(shape),
                "names_sha256": files_hash(names),
                "files_sha256": listing,
                "frames_sha256": digest,
                **({} if data is None else {"data": dict(data)}),
            }
            (temporary / "manifest.json").write_text(json.dumps(manifest, indent=1))
            for file in temporary.iterdir():
                _flush(file)
            _flush(temporary)
            _rename(temporary, folder, listing)
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


class _Chunks(Dataset[Tensor | DataError]):
    """Frames of 32 recordings per item. A DataError is returned as a value: worker processes do not keep its type."""

    def __init__(self, count: int, produce: Produce) -> None:
        self.chunks = [range(i, min(i + _CHUNK, count)) for i in range(0, count, _CHUNK)]
        self.produce = produce

    def __len__(self) -> int:
        return len(self.chunks)

    def __getitem__(self, index: int) -> Tensor | DataError:
        try:
            return torch.from_numpy(self.produce(self.chunks[index]))
        except DataError as error:
            return error


def _write_frames(path: Path, shape: tuple[int, ...], produce: Produce, workers: int, title: str) -> str:
    """Writes chunk by chunk with `write`; writing to a memory map would kill the process when the disk is full."""
    chunks = _Chunks(shape[0], produce)
    with path.open("w+b") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        # Its own generator, so that torch's does not advance and a first run equals one that finds the cache.
        produced = DataLoader(chunks, batch_size=None, num_workers=workers, generator=torch.Generator())
        for frames in track(produced, len(chunks), f"integrating {title}"):
            if isinstance(frames, DataError):
                raise frames
            assert frames.dtype == torch.uint8
            assert tuple(frames.shape[1:]) == shape[1:]
            file.write(frames.numpy().tobytes())
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()


def _rename(temporary: Path, folder: Path, listing: str) -> None:
    """Renames the finished folder; keeps the existing one if another host, without a common lock, was faster."""
    if folder.exists():
        existing = open_cache(folder)
        if existing is not None and existing.manifest["files_sha256"] == listing:
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


def _temporary_prefix(folder: Path) -> str:
    return f"{folder.name}.tmp-{socket.gethostname()}-"


def _remove_leftovers(folder: Path) -> None:
    for leftover in folder.parent.glob(f"{_temporary_prefix(folder)}*"):
        shutil.rmtree(leftover, ignore_errors=True)


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
