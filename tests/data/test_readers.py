"""File formats, from bytes written by hand."""

import re
import struct
import sys
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest

from snnlab.data import readers
from snnlab.data.files import Recording
from snnlab.data.frames import Events
from snnlab.data.readers import read_recording
from snnlab.datasets import DVSGesture
from snnlab.errors import DataError
from snnlab.packages import MissingPackageError


def rows(events):
    return list(zip(events.x.tolist(), events.y.tolist(), events.p.tolist(), events.t.tolist(), strict=True))


def saccade_bytes(events):
    """40 bits an event, as in N-MNIST: x, y, then polarity and 23 bits of time."""
    return b"".join(bytes([x, y]) + ((p << 23) | t).to_bytes(3, "big") for x, y, p, t in events)


def aedat2_bytes(words, header=b"#!AER-DAT2.0\r\n# made by a test\r\n"):
    return header + b"".join(struct.pack(">II", address, t) for address, t in words)


def test_saccades(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(saccade_bytes([(3, 33, 1, 0), (0, 1, 0, 300_000), (33, 0, 1, 2**23 - 1)]))
    assert rows(read_recording(path)) == [(3, 33, 1, 0), (0, 1, 0, 300_000), (33, 0, 1, 2**23 - 1)]


def test_saccades_with_the_clock_wrapping(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(saccade_bytes([(1, 1, 0, 5), (0, 240, 0, 0), (2, 2, 1, 6)]))
    assert rows(read_recording(path)) == [(1, 1, 0, 5), (2, 2, 1, 6 + 2**13)]


def test_aedat2(tmp_path):
    path = tmp_path / "a.aedat"
    # Bits 1 to 7 are the column from the right, 8 to 14 the row from the bottom; bit 0 is 0 for ON; bit 15 is a
    # signal from outside.
    path.write_bytes(aedat2_bytes([((5 << 8) | (9 << 1) | 0, 100), (1 << 15, 150), ((127 << 8) | 1, 200)]))
    assert rows(read_recording(path)) == [(118, 122, 1, 0), (127, 0, 0, 100)]


def test_aedat2_whose_data_starts_with_a_line_break(tmp_path):
    path = tmp_path / "a.aedat"
    path.write_bytes(aedat2_bytes([(0x0A0A, 0x230A0A23)]))
    assert rows(read_recording(path)) == [(127 - 5, 127 - 10, 1, 0)]


def test_aedat2_whose_clock_wraps(tmp_path):
    path = tmp_path / "a.aedat"
    path.write_bytes(aedat2_bytes([(0, t) for t in (2**31 - 5, 2**31 + 5, 2**32 - 1, 3, 1)]))
    assert read_recording(path).t.tolist() == [0, 10, 2**31 + 4, 2**31 + 8, 2**31 + 6]
    path.write_bytes(aedat2_bytes([]))
    assert len(read_recording(path)) == 0


def test_npz(tmp_path):
    np.savez(
        tmp_path / "a.npz",
        t=np.array([1, 2]),
        x=np.array([3, 4]),
        y=np.array([5, 6]),
        p=np.array([True, False]),
    )
    assert rows(read_recording(tmp_path / "a.npz")) == [(3, 5, 1, 1), (4, 6, 0, 2)]


@pytest.mark.parametrize("dtype", [np.uint32, np.float64, np.int16])
def test_gesture_table_in_milliseconds(tmp_path, dtype):
    np.save(tmp_path / "3.npy", np.array([[1, 2, 1, 0], [3, 4, 0, 6000]], dtype))
    assert rows(read_recording(tmp_path / "3.npy")) == [(1, 2, 1, 0), (3, 4, 0, 6_000_000)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.aedat", b"something else"),
        ("a.aedat", aedat2_bytes([(0, 0)])[:-3]),
        ("a.aedat", b"#!AER-DAT2.0 without an end"),
        ("a.aedat", b""),
        ("a.npz", b"not a zip"),
        ("a.npy", b""),
    ],
)
def test_damaged_files_are_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name.replace(".", r"\.")) as caught:
        read_recording(tmp_path / name)
    assert caught.value.hint


def test_wrong_tables(tmp_path):
    np.save(tmp_path / "3.npy", np.zeros((5, 3)))
    with pytest.raises(DataError, match="shape"):
        read_recording(tmp_path / "3.npy")
    np.savez(tmp_path / "a.npz", t=np.zeros(3))
    with pytest.raises(DataError, match="cannot be read"):
        read_recording(tmp_path / "a.npz")


def test_aedat4_without_its_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "aedat", None)
    with pytest.raises(MissingPackageError, match="needs the package 'aedat'") as caught:
        read_recording(tmp_path / "a.aedat4")
    assert caught.value.message.startswith(f"{tmp_path / 'a.aedat4'}, in AEDAT-4 format, needs")
    assert "pip install -e '.[aedat4]'" in caught.value.hint


def save_table(path, x=(1, 2), y=(3, 4), p=(0, 1), t=(0, 5)):
    columns = [np.array(column) for column in (x, y, p, t)]
    if path.suffix == ".npy":
        np.save(path, np.stack([column.astype(np.float64) for column in columns], 1))
    else:
        np.savez(path, **dict(zip("xypt", columns, strict=True)))


@pytest.mark.parametrize("name", ["3.npy", "user01_led_0.npz"])
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"t": (0.0, np.nan)}, "t that is NaN or infinite"),
        ({"t": (0.0, np.inf)}, "t that is NaN or infinite"),
        ({"t": (-1e30, 0.0)}, "t from"),
        ({"t": (0.0, 5e15)}, "microseconds, too long|t from"),
        ({"x": (0.5, 1.0)}, "x that is no whole number"),
        ({"y": (np.nan, 1.0)}, "y that is NaN or infinite"),
        ({"p": (0.25, 1.0)}, "p that is no whole number"),
        ({"x": (0, 128)}, "x from 0 to 128"),
        ({"y": (-1, 0)}, "y from -1 to 0"),
        ({"p": (-1, 1)}, "p from -1 to 1"),
    ],
)
def test_values_that_are_no_events_are_refused(tmp_path, name, changed, message):
    save_table(tmp_path / name, **changed)
    # Cut by time, so that long recordings are counted, too.
    dataset = DVSGesture(tmp_path, 2000, by="time")
    with pytest.raises(DataError, match=rf"{re.escape(name)} cannot be read: events .*({message})"):
        dataset._integration.frames([Recording(name, 0, tmp_path / name)], [0])


@pytest.mark.parametrize(
    "columns",
    [
        {"t": np.array([1 + 0j, 2])},
        {"t": np.array(["1", "2"])},
        {"x": np.array([1, 2, 3])},
        {"x": np.array([[1], [2]])},
        {"x": np.array([2**63, 1], np.uint64)},
        {"p": np.array([None, 1])},
    ],
)
def test_columns_of_other_types_and_shapes_are_refused(tmp_path, columns):
    save_table(tmp_path / "a.npz", **columns)
    with pytest.raises(DataError, match=r"a\.npz cannot be read"):
        read_recording(tmp_path / "a.npz")


def npy_header(shape):
    text = repr({"descr": "<f8", "fortran_order": False, "shape": shape}).encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def test_no_memory_is_taken_for_what_a_header_promises(tmp_path):
    (tmp_path / "3.npy").write_bytes(npy_header((400_000_000, 4)) + bytes(64))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for name in "xypt":
            archive.writestr(f"{name}.npy", npy_header((1_600_000_000,)) + bytes(64))
    tracemalloc.start()
    for name in ("3.npy", "a.npz"):
        with pytest.raises(
            DataError, match=rf"{name} cannot be read: its header promises 12,800,000,000 bytes"
        ):
            read_recording(tmp_path / name)
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()


def test_a_zip_that_claims_to_hold_more_than_it_does(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", npy_header((8,)) + bytes(64))
    content = (tmp_path / "a.npz").read_bytes()
    size = struct.pack("<I", len(npy_header((8,))) + 64)
    (tmp_path / "a.npz").write_bytes(content.replace(size, struct.pack("<I", 2**31 - 1)))
    with pytest.raises(DataError, match=r"a\.npz cannot be read"):
        read_recording(tmp_path / "a.npz")


@pytest.mark.parametrize(
    "error", [struct.error("x\ny"), MemoryError(), RecursionError(), KeyError("t"), zlib.error()]
)
def test_whatever_a_parser_raises_is_one_error(tmp_path, monkeypatch, error):
    def parser(path):
        raise error

    monkeypatch.setitem(readers.READERS, ".bin", parser)
    with pytest.raises(DataError, match=r"a\.bin cannot be read: \S") as caught:
        read_recording(tmp_path / "a.bin")
    assert "\n" not in caught.value.message


def test_a_panic_of_a_parser_in_rust_is_one_error_and_an_interruption_none(tmp_path, monkeypatch):
    panic = type("PanicException", (BaseException,), {})

    def parser(path):
        raise panic("index out of bounds")

    def interrupted(path):
        raise KeyboardInterrupt

    monkeypatch.setitem(readers.READERS, ".bin", parser)
    with pytest.raises(DataError, match="index out of bounds"):
        read_recording(tmp_path / "a.bin")
    monkeypatch.setitem(readers.READERS, ".bin", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read_recording(tmp_path / "a.bin")


@pytest.mark.parametrize("lost", range(1, 5))
def test_saccades_that_end_in_the_middle_of_an_event(tmp_path, lost):
    (tmp_path / "a.bin").write_bytes(saccade_bytes([(1, 1, 0, 5), (2, 2, 1, 6)])[:-lost])
    with pytest.raises(DataError, match=r"a\.bin ends in the middle of an event"):
        read_recording(tmp_path / "a.bin")


def test_a_data_set_whose_reading_fails_names_the_recording(tmp_path):
    class Own(DVSGesture):
        def read(self, recordings):
            return [Events.of(*np.zeros((4, 30))) if r.name != "2" else {}["t"] for r in recordings]

    recordings = [Recording(str(i), 0, tmp_path / f"own-{i}") for i in range(4)]
    with pytest.raises(DataError, match=r"own-2 cannot be read: missing: t"):
        Own(tmp_path, 4)._integration.frames(recordings, range(4))
