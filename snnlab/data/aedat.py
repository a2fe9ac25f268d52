"""Recordings of iniVation's cameras: AEDAT 2.0 of the DVS128 and of DAVIS cameras, and AEDAT 3.1.

Their description: https://docs.inivation.com/software/software-advanced-usage/file-formats/index.html
"""

import re
import struct
from pathlib import Path

import numpy as np

from snnlab.data.raw_events import RawEvents
from snnlab.data.readers import read_dvs128
from snnlab.errors import DataError

_DAVIS = {"240": (180, 240), "346": (260, 346), "128": (128, 128), "640": (480, 640)}
_PACKET = struct.Struct("<hhiiiiii")
_POLARITY = 1


def read_aedat(path: Path) -> RawEvents:
    """An .aedat file of version 2.0 or 3.1; the sensor is that of the camera in its header.

    Raises:
        DataError: it is of another version, or cut off.
    """
    content = path.read_bytes()
    header, start = _header(path, content)
    if header.startswith("#!AER-DAT3"):
        return _packets(path, content, start)
    davis = re.search(r"DAVIS_?(240|346|128|640)", header, re.I)
    if davis is None:
        events = read_dvs128(path)
        return RawEvents(events.x, events.y, events.p, events.t, "us", (128, 128))
    rows, columns = _DAVIS[davis[1]]
    if (len(content) - start) % 8:
        raise DataError(f"{path} ends in the middle of an event", "download it again")
    words = np.frombuffer(content, ">u4", offset=start).reshape(-1, 2).astype(np.int64)
    # Bit 31 marks samples of pictures and of motion, bit 10 external signals.
    words = words[(words[:, 0] & 0x80000400) == 0]
    address, ticks = words.T
    t = np.cumsum(np.diff(ticks, prepend=ticks[:1]).astype(np.int32), dtype=np.int64)
    x = columns - 1 - ((address >> 12) & 0x3FF)
    y = rows - 1 - ((address >> 22) & 0x1FF)
    return RawEvents(x, y, (address >> 11) & 1, t, "us", (rows, columns))


def _header(path: Path, content: bytes) -> tuple[str, int]:
    """The lines of `#`, and where what follows them starts."""
    start = 0
    while content[start : start + 1] == b"#":
        end = content.find(b"\n", start) + 1
        if end == 0:
            raise DataError(f"{path} ends in its header", "download it again")
        last = content[start:end].startswith(b"#!END-HEADER")
        start = end
        if last:
            break
    return content[:start].decode("latin-1"), start


def _packets(path: Path, content: bytes, start: int) -> RawEvents:
    """AEDAT 3.1: packets of events of one type; those of pixels have 32 bits of address and 31 of time."""
    found = [np.zeros((0, 3), np.int64)]
    while start < len(content):
        if start + _PACKET.size > len(content):
            raise DataError(f"{path} ends in the head of a packet", "download it again")
        kind, _, size, _, overflow, _, count, _ = _PACKET.unpack_from(content, start)
        start += _PACKET.size
        if size < 1 or count < 0 or start + size * count > len(content):
            raise DataError(f"{path} ends in the middle of a packet", "download it again")
        if kind == _POLARITY:
            if size != 8:
                raise DataError(
                    f"{path} has pixel events of {size} bytes instead of 8", "is it of version 3.1?"
                )
            words = np.frombuffer(content, "<u4", 2 * count, start).reshape(-1, 2).astype(np.int64)
            t = words[:, 1] + (int(overflow) << 31)
            found.append(np.stack((words[:, 0], t, words[:, 0] & 1), 1))
        start += size * count
    events = np.concatenate(found)
    address, t, valid = events.T
    address, t = address[valid == 1], t[valid == 1]
    return RawEvents((address >> 17) & 0x7FFF, (address >> 2) & 0x7FFF, (address >> 1) & 1, t, "us")
