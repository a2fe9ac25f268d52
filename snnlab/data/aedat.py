"""Recordings of iniVation's cameras: AEDAT 2.0 of the DVS128 and of DAVIS cameras, and AEDAT 3.1.

Their description: https://docs.inivation.com/software/software-advanced-usage/file-formats/index.html
"""

import re
from pathlib import Path

from snnlab.data.aedat_words import dvs128_events, read_header, words_of_version2, words_of_version3
from snnlab.data.raw_events import RawEvents
from snnlab.errors import DataError

_DAVIS = {"240": (180, 240), "346": (260, 346), "128": (128, 128), "640": (480, 640)}


def read_aedat(path: Path) -> RawEvents:
    """An .aedat file of version 2.0 or 3.1; the sensor is that of the camera in its header.

    Raises:
        DataError: it is of another version, or cut off.
    """
    content = path.read_bytes()
    header, start = read_header(path, content)
    if header.startswith("#!AER-DAT3"):
        address, t = words_of_version3(path, content, start).T
        address, t = address[address & 1 == 1], t[address & 1 == 1]
        return RawEvents((address >> 17) & 0x7FFF, (address >> 2) & 0x7FFF, (address >> 1) & 1, t, "us")
    if not header.startswith("#!AER-DAT2"):
        raise DataError(
            f"{path} is not an AEDAT-2.0 or AEDAT-3.1 file", "is it of another kind, or not fully downloaded?"
        )
    words = words_of_version2(path, content, start)
    davis = re.search(r"DAVIS_?(240|346|128|640)", header, re.I)
    if davis is None:
        events = dvs128_events(words)
        return RawEvents(events.x, events.y, events.p, events.t, "us", (128, 128))
    rows, columns = _DAVIS[davis[1]]
    # Bit 31 marks samples of pictures and of motion, bit 10 external signals.
    address, t = words[(words[:, 0] & 0x80000400) == 0].T
    x = columns - 1 - ((address >> 12) & 0x3FF)
    y = rows - 1 - ((address >> 22) & 0x1FF)
    return RawEvents(x, y, (address >> 11) & 1, t, "us", (rows, columns))
