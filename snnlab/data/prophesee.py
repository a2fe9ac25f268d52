"""Recordings of Prophesee's cameras: .dat (CD events) and .raw (EVT 2.0 and EVT 3.0), decoded from their description
at https://docs.prophesee.ai/stable/data/index.html.

Shapes: W words, E events.
"""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snnlab.data.arrays import LARGEST
from snnlab.data.raw_events import RawEvents
from snnlab.errors import DataError

Ints = NDArray[np.int64]
_TRUNCATED = "the recording was cut off; get or record it again"


def read_dat(path: Path) -> RawEvents:
    """A .dat file: a header of lines, type and size of an event, and events of 32 bits of time and 32 of address.

    Raises:
        DataError: it is cut off, or holds other events.
    """
    lines, body = _open(path)
    if len(body) < 2 or body[1] != 8:
        raise DataError(f"{path} holds no events of 8 bytes", "is it a .dat file of Prophesee's, version 2?")
    words = _words(path, body[2:], "<u4", 2).reshape(-1, 2)
    t, address = words[:, 0], words[:, 1]
    # The clock of 32 bits starts anew after 71 minutes.
    t = np.cumsum(np.diff(t, prepend=t[:1]).astype(np.int32), dtype=np.int64) + t[:1].sum()
    sensor = _size(lines, r"height\s+(\d+)", r"width\s+(\d+)")
    return RawEvents(address & 0x3FFF, (address >> 14) & 0x3FFF, (address >> 28) & 1, t, "us", sensor)


def read_raw(path: Path) -> RawEvents:
    """A .raw file; its header says which encoding it has.

    Raises:
        DataError: it is cut off, or in another encoding.
    """
    lines, body = _open(path)
    named = re.search(r"^%\s*(?:evt\s+|format\s+EVT)(\d)(?:\.?(\d))?", lines, re.M | re.I)
    encoding = f"{named[1]}.{named[2] or 0}" if named else "none"
    sensor = _size(lines, r"height=(\d+)", r"width=(\d+)") or _size(
        lines, r"geometry\s+\d+x(\d+)", r"geometry\s+(\d+)x\d+"
    )
    if encoding == "2.0":
        x, y, p, t = decode_evt2(_words(path, body, "<u4", 1))
    elif encoding == "3.0":
        x, y, p, t = decode_evt3(_words(path, body, "<u2", 1))
    else:
        raise DataError(
            f"{path}: its header names the encoding {encoding}, and EVT 2.0 and 3.0 are read",
            "Prophesee's metavision_file_to_dat converts it",
        )
    return RawEvents(x, y, p, t, "us", sensor)


def decode_evt2(words_W: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Columns x, y, p, t of the CD events in words of 32 bits; those before the first high part of the time are lost.

    Bits 31 to 28 are the type: 0 OFF, 1 ON, 8 the high part of the time, others no pixel events. Events: 6 bits of
    time, 11 of x, 11 of y.
    """
    kind_W = words_W >> 28
    high_W = _latest(kind_W == 8)
    event_E = np.flatnonzero((kind_W <= 1) & (high_W >= 0))
    words_E, high_E = words_W[event_E], words_W[high_W[event_E]] & 0xFFFFFFF
    return (words_E >> 11) & 0x7FF, words_E & 0x7FF, words_E >> 28, (high_E << 6) | ((words_E >> 22) & 0x3F)


def decode_evt3(words_W: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Columns x, y, p, t of the CD events in words of 16 bits; those before the first row, base or time are lost.

    Bits 15 to 12 are the type: 0 row, 2 column of one event, 3 column of the first of a group, 4 and 5 which of 12 or
    8 pixels of a group have an event, 6 and 8 the low and the high 12 bits of the time, others no pixel events.
    """
    kind_W, value_W = words_W >> 12, words_W & 0xFFF
    row_W, base_W, low_W, high_W = (_latest(kind_W == kind) for kind in (0, 3, 6, 8))
    # The high part starts anew after 16.8 seconds.
    highs = value_W[kind_W == 8]
    wraps = np.cumsum(np.diff(highs, prepend=highs[:1]) < -2048)
    full_W = np.zeros_like(words_W)
    full_W[kind_W == 8] = (wraps << 12) + highs
    ready_W = (row_W >= 0) & (high_W >= 0)
    single_S = np.flatnonzero((kind_W == 2) & ready_W)
    advance_W = np.where(kind_W == 4, 12, np.where(kind_W == 5, 8, 0))
    before_W = np.cumsum(advance_W) - advance_W
    group_G = np.flatnonzero((advance_W > 0) & ready_W & (base_W >= 0))
    valid_GB = (value_W[group_G, None] >> np.arange(12)) & 1
    valid_GB[:, 8:] &= (kind_W[group_G] == 4)[:, None]
    group_E, bit_E = np.nonzero(valid_GB)
    member_E = group_G[group_E]
    base_E = base_W[member_E]
    x_E = (words_W[base_E] & 0x7FF) + before_W[member_E] - before_W[base_E] + bit_E
    word = np.concatenate((single_S, member_E))
    x = np.concatenate((words_W[single_S] & 0x7FF, x_E))
    p = np.concatenate((words_W[single_S] >> 11, words_W[base_E] >> 11)) & 1
    order = np.argsort(word, kind="stable")
    word, x, p = word[order], x[order], p[order]
    low = np.where(low_W[word] >= 0, value_W[low_W[word]], 0)
    return x, words_W[row_W[word]] & 0x7FF, p, (full_W[high_W[word]] << 12) | low


def _latest(chosen_W: NDArray[np.bool_]) -> Ints:
    """For each word the index of the latest chosen one up to it; -1 where there is none."""
    return np.maximum.accumulate(np.where(chosen_W, np.arange(len(chosen_W)), -1))


def _open(path: Path) -> tuple[str, bytes]:
    """The header of lines that begin with %, and what follows."""
    if path.stat().st_size > LARGEST:
        raise DataError(
            f"{path} is larger than {LARGEST:,} bytes", "cut the recording into samples of one class"
        )
    content = path.read_bytes()
    start = 0
    while content[start : start + 1] == b"%":
        end = content.find(b"\n", start) + 1
        if end == 0:
            raise DataError(f"{path} ends in its header", _TRUNCATED)
        last = content[start:end].split() == [b"%", b"end"]
        start = end
        if last:
            break
    if start == 0:
        raise DataError(
            f"{path} has no header of lines that begin with %", "is it a recording of Prophesee's?"
        )
    return content[:start].decode("latin-1"), content[start:]


def _words(path: Path, body: bytes, kind: str, each: int) -> Ints:
    if len(body) % (np.dtype(kind).itemsize * each):
        raise DataError(f"{path} ends in the middle of an event", _TRUNCATED)
    return np.frombuffer(body, kind).astype(np.int64)


def _size(header: str, height: str, width: str) -> tuple[int, int] | None:
    rows, columns = (re.search(one, header, re.I) for one in (height, width))
    found = (int(rows[1][:5]), int(columns[1][:5])) if rows and columns else None
    return found if found and min(found) > 0 else None
