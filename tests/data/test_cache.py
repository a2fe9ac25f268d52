"""The frame cache: whole or not there, whatever happens while it is built."""

import errno
import json
import multiprocessing
import os
import pickle
import signal
import time

import numpy as np
import pytest
import torch

from snnlab import locks
from snnlab.data import cache as module
from snnlab.data.cache import build_cache, cache_folder, check_cache, open_cache
from snnlab.errors import DataError

SHAPE = (2, 2, 3, 3)
NAMES = [f"{i:03d}" for i in range(100)]
LABELS = [i % 7 for i in range(100)]


def frames_of(indices):
    return np.stack([np.full(SHAPE, i, np.uint8) for i in indices])


def build(folder, produce=frames_of, names=NAMES, **kwargs):
    return build_cache(folder, names, names, LABELS[: len(names)], SHAPE, produce, {"a": 1}, **kwargs)


@pytest.fixture
def folder(tmp_path):
    return cache_folder(tmp_path / "set", {"a": 1})


def others(folder):
    return [
        path.name for path in folder.parent.iterdir() if path != folder and not path.name.endswith(".lock")
    ]


def test_build_and_open(folder):
    built = build(folder)
    again = open_cache(folder)
    assert again is not None
    for found in (built, again):
        assert found.frames.shape == (100, *SHAPE)
        assert (found.frames[np.array([99, 0, 42])] == frames_of([99, 0, 42])).all()
        assert found.labels.tolist() == LABELS
        assert found.names == tuple(NAMES)
        assert found.manifest["parameters"] == {"a": 1}
    assert check_cache(folder) == []
    assert others(folder) == []


def test_building_leaves_torchs_generator_alone(folder):
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    build(folder)
    assert torch.equal(torch.rand(3), expected)


def test_second_build_reads_nothing(folder):
    build(folder)

    def never(indices):
        raise AssertionError

    assert len(build(folder, never).labels) == 100


def test_workers_write_the_same(folder, tmp_path):
    build(folder)
    parallel = cache_folder(tmp_path / "parallel", {"a": 1})
    build(parallel, workers=2)
    assert (folder / "frames.npy").read_bytes() == (parallel / "frames.npy").read_bytes()


def test_other_files_are_other_data(folder):
    build(folder, names=NAMES[:40])
    found = build(folder)
    assert found.frames.shape[0] == 100
    assert others(folder) == []


def test_name_depends_on_parameters_but_not_on_their_order(tmp_path):
    one = cache_folder(tmp_path, {"a": 1, "b": 2})
    assert one == cache_folder(tmp_path, {"b": 2, "a": 1})
    assert one != cache_folder(tmp_path, {"a": 1, "b": 3})


@pytest.mark.parametrize(
    "damage",
    [
        "no manifest",
        "empty manifest",
        "a list",
        "keys",
        "cut",
        "no labels",
        "labels",
        "names",
        "type",
        "other format",
    ],
)
def test_what_is_not_whole_is_not_opened_and_is_rebuilt(folder, damage):
    build(folder)
    manifest = folder / "manifest.json"
    if damage == "no manifest":
        manifest.unlink()
    elif damage == "empty manifest":
        manifest.write_text("")
    elif damage == "cut":
        os.truncate(folder / "frames.npy", 500)
    elif damage == "no labels":
        (folder / "labels.npy").unlink()
    elif damage == "a list":
        manifest.write_text("[]")
    elif damage == "keys":
        manifest.write_text(json.dumps({"format": 1, "shape": [100, *SHAPE]}))
    elif damage == "labels":
        np.save(folder / "labels.npy", np.roll(LABELS, 1))
    elif damage == "names":
        (folder / "names.txt").write_text("".join(f"{name}\n" for name in reversed(NAMES)))
    elif damage == "type":
        np.save(folder / "frames.npy", np.zeros((100, *SHAPE)))
    else:
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": 0}))
    assert open_cache(folder) is None
    assert check_cache(folder)
    build(folder)
    assert check_cache(folder) == []
    assert others(folder) == []


def test_changed_bytes_are_found(folder):
    build(folder)
    with (folder / "frames.npy").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x07")
    assert "is not what was written" in check_cache(folder)[0]


def in_child(function, *args):
    process = multiprocessing.get_context("fork").Process(target=function, args=args)
    process.start()
    return process


def build_slowly(folder, log):
    def produce(indices):
        with log.open("a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(0.15)
        return frames_of(indices)

    build(folder, produce)


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("chunks", [1, 3])
def test_kill_in_the_middle(folder, tmp_path, chunks):
    log = tmp_path / "log"
    process = in_child(build_slowly, folder, log)
    wait_for(lambda: log.exists() and len(log.read_text().splitlines()) >= chunks)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert open_cache(folder) is None
    assert others(folder)
    build(folder)
    assert check_cache(folder) == []
    assert others(folder) == []


def test_kill_just_before_the_rename(folder, monkeypatch):
    def die(*args):
        os.kill(os.getpid(), signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(module, "_rename", die)
        process = in_child(build, folder)
        process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not folder.exists()
    build(folder)
    assert check_cache(folder) == []
    assert others(folder) == []


def test_two_processes_at_once_build_once(folder, tmp_path):
    log = tmp_path / "log"
    both = [in_child(build_slowly, folder, log) for _ in range(2)]
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert check_cache(folder) == []
    assert len(set(log.read_text().split())) == 1
    assert others(folder) == []


@pytest.mark.filterwarnings("ignore:no locks")
def test_where_locks_do_not_reach_the_first_one_wins(folder, monkeypatch):
    def refuse(*args):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    inner = []

    def produce(indices):
        if not inner:
            inner.append(None)
            with monkeypatch.context() as patch:
                patch.setattr(module.os, "getpid", lambda: 1)
                patch.setattr(module, "_remove_leftovers", lambda folder: None)
                build(folder)
        return frames_of(indices)

    assert len(build(folder, produce).labels) == 100
    assert check_cache(folder) == []
    assert others(folder) == []


@pytest.mark.parametrize("moment", ["before", "while writing"])
def test_a_full_disk_leaves_nothing(folder, monkeypatch, moment):
    def full(indices):
        if 64 in indices:
            raise OSError(errno.ENOSPC, "No space left on device")
        return frames_of(indices)

    if moment == "before":
        monkeypatch.setattr(module.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 3599})())
    with pytest.raises(DataError, match="no space left for 0 MB") as caught:
        build(folder, full)
    assert "SNNLAB_CACHE" in caught.value.hint
    assert not folder.exists()
    assert others(folder) == []


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_recording_is_named_and_leaves_nothing(folder, workers):
    def produce(indices):
        raise DataError("one.bin: bad", "download it again")

    with pytest.raises(DataError, match=r"one\.bin: bad"):
        build(folder, produce, workers=workers)
    assert not folder.exists()
    assert others(folder) == []


def test_frames_are_sent_by_name(folder):
    frames = build(folder).frames
    sent = pickle.dumps(frames)
    assert len(sent) < 1000
    assert (pickle.loads(sent)[np.array([3])] == frames[np.array([3])]).all()


def test_a_worker_does_not_open_frames_that_were_written_anew(tmp_path):
    folder = cache_folder(tmp_path, {"a": 1})
    sent = pickle.dumps(build(folder).frames)
    file = folder / "frames.npy"
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content)
    os.utime(file, (0, 0))
    with pytest.raises(DataError, match=r"frames\.npy was written anew while it was used"):
        pickle.loads(sent)


def test_recordings_whose_frames_are_zero_are_remembered(folder):
    build(folder)
    assert open_cache(folder).empty == [0]
    manifest = folder / "manifest.json"
    content = json.loads(manifest.read_text())
    for damaged in ([100], [-1], ["0"], 3, [True]):
        manifest.write_text(json.dumps({**content, "empty": damaged}))
        assert open_cache(folder) is None
    del content["empty"]  # as older versions wrote it
    manifest.write_text(json.dumps(content))
    assert open_cache(folder).empty == []
