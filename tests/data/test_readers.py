"""File formats, from bytes written by hand."""

import struct

import numpy as np
import pytest

from snnlab.data import readers
from snnlab.data.readers import read_recording
from snnlab.errors import DataError


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
    monkeypatch.setattr(readers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="aedat") as caught:
        read_recording(tmp_path / "a.aedat4")
    assert "pip install aedat" in caught.value.hint
